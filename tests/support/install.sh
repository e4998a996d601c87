#!/usr/bin/env bash
# Installs the Debian packages that a group of tasks needs, and only those that are missing.
# Usage: tests/support/install.sh GROUP...     GROUP is build, check or rivals.
# Daemons that come with a package are kept from starting; nothing else of the system changes.
# shellcheck disable=SC2034  # the lists are read through a name reference
set -euo pipefail

# What engine/cmake/dependencies.cmake asks for, with the tools that build it, SDL2 for the sound
# card, and the roots that HTTPS servers are judged by.
build=(g++ cmake ninja-build pkg-config libuv1-dev libcurl4-openssl-dev libssl-dev
  libmicrohttpd-dev libipsec-mb-dev libsqlite3-dev libminiupnpc-dev libnatpmp-dev libavformat-dev libavcodec-dev
  libavutil-dev libswresample-dev nlohmann-json3-dev libcli11-dev libtomlplusplus-dev libsdl2-dev ca-certificates)
# Unit tests, the second compiler, sanitizers, fuzzing and style; what the examples and the packages
# are tested with.
check=(ccache git python3 binutils doctest-dev doxygen zsh fish mandoc
  dpkg-dev file abigail-tools libmpv-dev libgstreamer1.0-dev gstreamer1.0-plugins-base
  valgrind clang-14 libclang-rt-14-dev llvm-14 clang-tidy-14 clang-format-14 ffmpeg)
# Programs that the interop and end-to-end tests and the benchmarks talk to.
rivals=(python3-libtorrent transmission-daemon aria2 opentracker mktorrent nginx openssl curl
  iproute2 nftables procps miniupnpd-nftables prometheus chromium parallel rsync
  mpv vlc-bin vlc-plugin-base)

# More of them, from the npm registry, installed below build/rivals; without their install scripts.
rival_modules=(webtorrent@1.9.7 bittorrent-tracker@9.19.0 playwright-core@1.48.2)
command -v npm >/dev/null || rivals+=(nodejs npm)

missing=()
for group in "$@"; do
  case "$group" in
    build | check | rivals) ;;
    *) echo "install.sh: no group '$group'; choose from build, check, rivals" >&2; exit 2 ;;
  esac
  declare -n packages="$group"
  for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $state == installed ]] || missing+=("$package")
  done
done

install_modules() {
  local folder
  folder=$(dirname "${BASH_SOURCE[0]}")/../../build/rivals
  for module in "${rival_modules[@]}"; do
    local described=$folder/node_modules/${module%@*}/package.json
    grep -qsF "\"version\": \"${module#*@}\"" "$described" && continue
    mkdir -p "$folder"
    npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund "${rival_modules[@]}" </dev/null
    return
  done
}

install_packages() {
  as_root=() policy=/usr/sbin/policy-rc.d  # known to the trap, too
  if [[ $EUID -ne 0 ]]; then
    command -v sudo >/dev/null || {
      echo "install.sh: neither root nor sudo; ask root for: apt-get install ${missing[*]}" >&2
      exit 1
    }
    as_root=(sudo -n)
  fi

  # Packages ask policy-rc.d before they start a daemon; 101 means "not allowed".
  if [[ ! -e $policy ]]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
  fi

  echo "installing ${#missing[@]} packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null
}

[[ ${#missing[@]} -eq 0 ]] || install_packages
[[ " $* " != *" rivals "* ]] || install_modules
