# shellcheck shell=bash disable=SC2154  # read by tests/consumer/run, whose variables these are
# The Debian packages of the build: made, looked into, unpacked and used.
packages=$work/packages unpacked=$work/unpacked

make_packages() {
  cpack --config "$build/CPackConfig.cmake" -B "$packages" || return
  local package
  for package in "$packages"/*.deb; do dpkg-deb -x "$package" "$unpacked" || return; done
}

# Each file of the packages; %L stands for the folder of libraries, %V for the version. What the
# command tells of itself is a page for each of its commands.
expected_files() {
  local doc=usr/share/doc package command
  cat <<FILES
gstreamer1.0-tributary usr/%L/gstreamer-1.0/libgsttributary.so
libtributary-avio0 usr/%L/libtributary-avio.so.0
libtributary-avio0 usr/%L/libtributary-avio.so.%V
libtributary-dev usr/include/tributary/avio.h
libtributary-dev usr/include/tributary/tributary.h
libtributary-dev usr/include/tributary/tributary.hpp
libtributary-dev usr/%L/cmake/tributary/tributary-api-targets.cmake
libtributary-dev usr/%L/cmake/tributary/tributary-api-targets-relwithdebinfo.cmake
libtributary-dev usr/%L/cmake/tributary/tributary-config.cmake
libtributary-dev usr/%L/cmake/tributary/tributary-config-version.cmake
libtributary-dev usr/%L/libtributary-avio.so
libtributary-dev usr/%L/libtributary.so
libtributary-dev usr/%L/pkgconfig/tributary.pc
libtributary0 usr/%L/libtributary.so.0
libtributary0 usr/%L/libtributary.so.%V
libtributary-avio0 usr/share/lintian/overrides/libtributary-avio0
tributary usr/bin/tributary
tributary usr/share/bash-completion/completions/tributary
tributary usr/share/fish/vendor_completions.d/tributary.fish
tributary usr/share/lintian/overrides/tributary
tributary usr/share/man/man1/tributary.1.gz
tributary usr/share/zsh/vendor-completions/_tributary
FILES
  for package in gstreamer1.0-tributary libtributary0 libtributary-avio0 libtributary-dev tributary; do
    printf '%s %s\n' "$package" "$doc/$package/changelog.gz" "$package" "$doc/$package/copyright"
  done
  while read -r command; do
    echo "tributary usr/share/man/man1/tributary-$command.1.gz"
  done < <("$unpacked/usr/bin/tributary" --help | sed -nE '/^Subcommands:/,/^$/ s/^  ([a-z]+) .*/\1/p')
}

packaged_files() {
  local package
  for package in "$packages"/*.deb; do
    dpkg-deb -c "$package" | awk -v name="$(dpkg-deb -f "$package" Package)" \
      '$1 !~ /^d/ { print name, substr($6, 3) }'
  done
}

packages_hold_what_they_should() {
  local libraries version
  version=$(dpkg-deb -f "$packages"/libtributary0_*.deb Version)
  libraries=lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
  diff <(expected_files | sed "s|%L|$libraries|; s|%V|$version|" | sort) <(packaged_files | sort)
}

# field PACKAGE FIELD
field() { dpkg-deb -f "$packages/$1"_*.deb "$2"; }

packages_need_what_they_should() {
  grep 'libuv1 .*' <(field libtributary0 Depends) &&
    ! grep libav <(field libtributary0 Depends) &&
    grep 'libavformat[0-9]*, .*libsdl2' <(field libtributary0 Recommends) &&
    grep 'libtributary0 .*libavformat' <(field libtributary-avio0 Depends) &&
    grep 'libtributary0 (= .*libtributary-avio0 (= ' <(field libtributary-dev Depends) &&
    grep 'libtributary0 (= .*libgstreamer1.0-0 ' <(field gstreamer1.0-tributary Depends) &&
    grep 'libc6 (>= ' <(field tributary Depends) &&
    grep -x 'libtributary 0 libtributary0 (>= .*)' <(dpkg-deb -I "$packages"/libtributary0_*.deb shlibs) &&
    grep -x 'activate-noawait ldconfig' <(dpkg-deb -I "$packages"/libtributary0_*.deb triggers)
}

unpacked_command_runs() {
  [[ $("$unpacked/usr/bin/tributary" --version) == *"$(field tributary Version)"* ]] &&
    mandoc -T utf8 "$unpacked/usr/share/man/man1/tributary-play.1.gz" | grep '^TRIBUTARY-PLAY(1)'
}

# Of what its maintainers look for, errors count. Who answers for a package is said by who makes it.
lintian_finds_no_error() {
  lintian --allow-root --fail-on error --tag-display-limit 0 \
    --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$packages"/*.deb
}

check_packages() {
  check "Debian packages are made" make_packages
  check "the packages hold what they should" packages_hold_what_they_should
  check "the packages need what they should" packages_need_what_they_should
  check "the unpacked command runs" unpacked_command_runs
  check "a program is built and run with the unpacked packages" by_pkg_config "$unpacked" gcc -std=c99
  if command -v lintian >/dev/null; then
    check "lintian finds no error in the packages" lintian_finds_no_error
  else
    echo "lintian is not installed: the packages are not judged by it"
  fi
}
