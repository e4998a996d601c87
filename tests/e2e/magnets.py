"""Cases of magnet links: `play 'magnet:…'` knows the torrent by what peers tell alone."""
import json
import os
import shutil
import signal

from faults import LyingPeer
from harness import check, free_port, wait_until


def facts(scene, source):
    code, out, errors = scene.run("inspect", source, "--json")
    check(code == 0, f"inspect exited with {code}: {errors}")
    return json.loads(out)


def link(scene, torrent, *parameters):
    """With these parameters behind the hashes, and no others."""
    told = facts(scene, torrent)
    topics = [f"xt=urn:btih:{told['info_hash_v1']}", f"xt=urn:btmh:1220{told['info_hash_v2']}"]
    return "magnet:?" + "&".join([*topics, *parameters])


def add_cases(suite):
    case = suite.case

    @case("inspect prints a torrent's magnet link, and what a link says")
    def _(scene):
        torrent = scene.publish(scene.media.opus, edges=["http://127.0.0.1:1/"],
                                trackers=["http://127.0.0.1:2/announce"])
        told = facts(scene, torrent)
        again = facts(scene, told["magnet"])
        for key in ("name", "info_hash_v1", "info_hash_v2", "edges", "magnet"):
            check(told[key] == again[key], f"{key}: {told[key]} is not {again[key]}")
        check(again["trackers"] == ["http://127.0.0.1:2/announce"], str(again["trackers"]))
        _, text, _ = scene.run("inspect", torrent)
        check(told["magnet"] in text, text)
        _, text, _ = scene.run("inspect", told["magnet"] + "&x.pe=10.0.0.1:6881&so=0,2-3")
        for words in (told["info_hash_v2"], "10.0.0.1:6881", "number 0, 2-3"):
            check(words in text, f"'{words}' is not in {text}")

    @case("a magnet link that is none is told in one line, exit code 2")
    def _(scene):
        for command in ("play", "inspect"):
            code, _, errors = scene.run(command, "magnet:?xt=urn:btih:12345")
            check(code == 2 and len(errors.splitlines()) == 1, errors)
            check("xt: " in errors, errors)

    @case("plays a magnet link that names a tracker, from peers alone")
    def _(scene):
        tracker = scene.tracker()
        torrent = scene.publish(scene.media.flac, trackers=[tracker])
        seed, _ = scene.seed(torrent)
        played = scene.play(facts(scene, torrent)["magnet"], policy="peers-only")
        played.check(scene.media.flac)
        check(played.bytes["peers"] > 0, str(played.bytes))
        check(seed.alive(), seed.output())

    @case("plays a magnet link of hashes alone from --peer, and one that names the peer")
    def _(scene):
        torrent = scene.publish(scene.media.opus)
        _, address = scene.seed(torrent)
        scene.play(link(scene, torrent), peers=[address]).check(scene.media.opus)
        scene.play(link(scene, torrent, f"x.pe={address}")).check(scene.media.opus)

    @case("plays a magnet link of hashes alone from a seed that the DHT names")
    def _(scene):
        _, node = scene.serve("dht", "--listen", "127.0.0.1:0")
        torrent = scene.publish(scene.media.opus)
        scene.seed(torrent, extra=("--dht-node", node))
        scene.play(link(scene, torrent), extra=("--dht-node", node)).check(scene.media.opus)

    @case("by either hash of a hybrid a magnet link plays")
    def _(scene):
        torrent = scene.publish(scene.media.opus)
        _, address = scene.seed(torrent)
        told = facts(scene, torrent)
        for topic in (f"btih:{told['info_hash_v1']}", f"btmh:1220{told['info_hash_v2']}"):
            scene.play(f"magnet:?xt=urn:{topic}", peers=[address]).check(scene.media.opus)

    @case("plays a magnet link whose web seed brings the sound, once peers told the track list")
    def _(scene):
        _, edge = scene.origin()
        torrent = scene.publish(scene.media.flac)
        _, address = scene.seed(torrent, extra=("--up", "300k"))
        played = scene.play(link(scene, torrent, f"ws={edge}"), peers=[address])
        played.check(scene.media.flac)
        check(played.bytes["cdn"] > 0, str(played.bytes))

    @case("plays the tracks of an album that a magnet link selects")
    def _(scene):
        album = scene.media.album(scene.path("album"))
        torrent = scene.publish(album)
        _, address = scene.seed(torrent, data=scene.dir)
        paths = [entry["path"] for entry in facts(scene, torrent)["files"]]
        check(len(paths) == 3, str(paths))
        # Between the files of a hybrid there is padding, which the numbers count.
        played = scene.play(link(scene, torrent, "so=2"), peers=[address])
        played.check(scene.media.second)
        missing = scene.play(link(scene, torrent, "so=77"), peers=[address])
        check(missing.code == 2 and "so: " in missing.output, missing.output)

    @case("a peer that lies about the metadata is left, and the others' is played")
    def _(scene):
        torrent = scene.publish(scene.media.opus)
        known = bytes.fromhex(facts(scene, torrent)["info_hash_v1"])
        liars = [LyingPeer(scene, known, size) for size in (700, 70_000, 1)]
        # The honest one comes late, so that the liars are heard first.
        address = f"127.0.0.1:{free_port()}"
        played = scene.start_play(link(scene, torrent), peers=[*(liar.address for liar in liars),
                                                               address])
        wait_until(lambda: all(liar.lies for liar in liars), "each liar is asked")
        played.process.wait_for("asking|calling")
        scene.serve("seed", torrent, "--data", scene.media.folder, "--listen", address)
        played.process.wait(20)
        played.check(scene.media.opus)

    @case("of a private torrent no seed tells, and Ctrl-C ends the wait")
    def _(scene):
        torrent = scene.publish(scene.media.opus, trackers=[scene.tracker()],
                                extra=("--private",))
        check(facts(scene, torrent)["magnet"] is None, "a private torrent has a magnet link")
        _, address = scene.seed(torrent)
        played = scene.start_play(link(scene, torrent), peers=[address])
        played.process.wait_for("looking for peers|calling|asking")
        played.process.kill(signal.SIGINT)
        code = played.process.wait()
        check(code == 0, f"exit code {code}: {played.output}")

    @case("a magnet link that names nobody is told at once in one line")
    def _(scene):
        topic = "magnet:?xt=urn:btih:" + "0" * 40
        for options in (["--no-dht"], ["--policy", "cdn-only"]):
            code, _, errors = scene.run("play", topic, "--audio", "null", *options)
            check(code in (1, 2) and len(errors.splitlines()) == 1, f"{code}: {errors}")
            check("what the link stands for" in errors, errors)

    @case("who played from a magnet link tells the next one")
    def _(scene):
        tracker = scene.tracker()
        torrent = scene.publish(scene.media.opus, trackers=[tracker])
        seed, _ = scene.seed(torrent)
        magnet = facts(scene, torrent)["magnet"]
        first = scene.start_play(magnet, policy="peers-only", extra=("--linger", "60"))
        first.process.wait_for("sharing for")
        folder = scene.folder("gone")
        shutil.move(torrent, os.path.join(folder, "t"))
        seed.kill()
        wait_until(lambda: not seed.alive(), "the seed is gone")
        scene.play(magnet, policy="peers-only").check(scene.media.opus)
        first.process.kill(signal.SIGINT)
