"""Cases of queries among peers: the next track is found by asking those of the playing one."""
from harness import check


def add_cases(suite):
    case = suite.case

    def play_two(scene, seed_extra=(), **options):
        """The seed of the first track, which a tracker names, holds the second, which nothing names."""
        first = scene.publish(scene.media.first, trackers=[scene.tracker()], name="first.torrent")
        second = scene.publish(scene.media.second, name="second.torrent",
                               extra=options.pop("publish", ()))
        scene.seed(first, second, extra=("--no-dht", *seed_extra))
        extra = ("--no-dht", *options.pop("extra", ()))
        return scene.start_play(first, second, policy="peers-only", extra=extra, **options)

    @case("a peer of the playing track is found for the next one without tracker, DHT or multicast")
    def _(scene):
        played = play_two(scene)
        played.process.wait(20)
        played.check(scene.media.first, scene.media.second)
        for track in played.report["tracks"]:
            check(track["bytes"]["peers"] > 0, f"not from peers: {track}")

    def finds_nobody(why, **options):
        @case(f"nobody is found for the next track {why}")
        def _(scene):
            played = play_two(scene, **options)
            # The first is heard, as good as to its end: 6 of 7 s of 44.1 kHz in stereo.
            scene.heard(played, 6 * 44100 * 4)
            try:
                played.process.wait(3)
            except AssertionError:
                pass
            check(played.process.alive(), f"play ended: {played.output[-300:]}")

    finds_nobody("where the player asks nobody", extra=("--no-overlay",))
    finds_nobody("where the peer does not answer", seed_extra=("--no-overlay",))
    finds_nobody("when that is private", publish=("--private",))
