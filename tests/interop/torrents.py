"""Torrents of theirs and ours: both sides must take them for the same."""
import shutil

import clients
from clients import (HYBRID, V1, V2, Libtorrent, inspect, libtorrent, make_with_libtorrent)
from harness import check


def check_hashes(scene, torrent, versions):
    clients.need_libtorrent()
    theirs, ours = libtorrent.torrent_info(torrent), inspect(scene, torrent)
    hashes = theirs.info_hashes()
    v1 = str(hashes.v1) if hashes.has_v1() else None
    v2 = str(hashes.v2) if hashes.has_v2() else None
    check([ours["info_hash_v1"], ours["info_hash_v2"]] == [v1, v2], f"{ours}, not {v1} and {v2}")
    check((v1 is not None, v2 is not None) == versions, f"v1 {v1}, v2 {v2}")
    check(ours["piece_length"] == theirs.piece_length(), "the piece lengths differ")
    storage = theirs.files()
    pad = libtorrent.file_storage.flag_pad_file
    sizes = sorted(storage.file_size(i) for i in range(storage.num_files())
                   if not storage.file_flags(i) & pad)
    check(sorted(entry["length"] for entry in ours["files"]) == sizes, "the files differ")


def add_cases(suite):
    case = suite.case

    @case("libtorrent agrees on the hashes of our torrents")
    def _(scene):
        edges, trackers = ["http://127.0.0.1:1/"], ["http://127.0.0.1:1/announce"]
        single = scene.publish(scene.media.opus, edges=edges, trackers=trackers)
        check_hashes(scene, single, (True, True))
        album = scene.publish(scene.media.album(scene.path("album")), edges=edges, trackers=trackers,
                              extra=("--piece-length", "64k"), name="album.torrent")
        check_hashes(scene, album, (True, True))
        handle = Libtorrent(scene)
        handle.seed(album, scene.dir)
        handle.seed(single, scene.media.folder)

    @case("we agree on the hashes of libtorrent's torrents")
    def _(scene):
        album = scene.media.album(scene.path("album"))
        for path in (scene.media.flac, album):
            for version, parts in ((V1, (True, False)), (HYBRID, (True, True)), (V2, (False, True))):
                torrent = make_with_libtorrent(path, version, scene.path(f"{version}.torrent"))
                check_hashes(scene, torrent, parts)

    @case("our torrent is the one that libtorrent makes")
    def _(scene):
        # Equal hashes: file order, padding and the order of keys are all the same.
        media = scene.path("track.flac")
        shutil.copy(scene.media.flac, media)
        ours = scene.publish(media, extra=("--piece-length", "64k"))
        theirs = make_with_libtorrent(media, HYBRID, scene.path("theirs.torrent"))
        check(inspect(scene, ours)["info_hash_v2"] == inspect(scene, theirs)["info_hash_v2"],
              "the info-hashes differ")
