"""Runs cases against the finished `tributary` command and other real processes, on loopback.

A case is a function of a Scene: a folder of its own and the processes and sockets it opened, all of
which end with it. Waits poll a condition and have a limit; nothing sleeps as a means of order.
"""
import collections
import contextlib
import functools
import itertools
import json
import multiprocessing
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
import urllib.request

CASE_LIMIT_S = 30
POLL_S = 0.05


class Skipped(Exception):
    """The case cannot run here; the text says why."""


class CaseTimeout(Exception):
    """A case took longer than its limit."""


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def wait_until(condition, what, limit=15):
    """The first truthy value of condition()."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit} s in vain: {what}")
        time.sleep(POLL_S)


# Below those that the system chooses for others, and each process begins elsewhere.
FREE_PORTS = range(20_000, 32_000)
_next_port = itertools.count()


def free_port():
    while True:
        port = FREE_PORTS[(os.getpid() * 101 + next(_next_port)) % len(FREE_PORTS)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def can_connect(port, host="127.0.0.1"):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def wav_pcm(path):
    """The samples of a WAV file, whose header must agree with its size."""
    data = read(path)
    check(data[:4] == b"RIFF" and data[8:12] == b"WAVE", f"{path} is no WAV file")
    riff = int.from_bytes(data[4:8], "little")
    check(riff + 8 == len(data), f"the RIFF header says {riff + 8} bytes, the file has {len(data)}")
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4:at + 8], "little")
        if data[at:at + 4] == b"data":
            check(at + 8 + size <= len(data), "the WAV header claims more samples than there are")
            return data[at + 8:at + 8 + size]
        at += 8 + size + size % 2
    raise AssertionError(f"{path} has no samples")


@functools.lru_cache(maxsize=None)
def decoded(media):
    """What ffmpeg decodes from a file, 16 bits little-endian."""
    return subprocess.run(["ffmpeg", "-v", "error", "-i", media, "-f", "s16le", "-c:a",
                           "pcm_s16le", "-"], check=True, capture_output=True).stdout


def check_same_sound(wav, media_files):
    heard = wav_pcm(wav)
    expected = b"".join(decoded(media) for media in media_files)
    if heard == expected:
        return
    same = next((i for i, (a, b) in enumerate(zip(heard, expected)) if a != b),
                min(len(heard), len(expected)))
    raise AssertionError(f"the sound differs from ffmpeg's at byte {same}: {len(heard)} bytes "
                         f"were heard, {len(expected)} expected")


def check_entry(entry):
    count = entry["bytes"]
    got = count["cdn"] + count["peers"] + count["cache"]
    spent = count["played"] + count["duplicate"] + count["corrupt"] + count["unused"]
    check(got == spent, f"the bytes of '{entry['title']}' do not add up: {got} != {spent}: {count}")
    reasons = sum(count["by_reason"].values())
    check(reasons == count["cdn"], f"the CDN's reasons do not add up to {count['cdn']}: {count}")


def check_report(report):
    for entry in [report["total"], *report["tracks"]]:
        check_entry(entry)


class Process:
    """A started program; its output goes to a file."""

    def __init__(self, name, argv, log, **options):
        self.name, self.log = name, log
        with open(log, "wb") as out:
            self.popen = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT,
                                          **{"stdin": subprocess.DEVNULL, **options})

    def output(self):
        return read(self.log).decode(errors="replace")

    def alive(self):
        return self.popen.poll() is None

    def wait_for(self, pattern, limit=15):
        def found():
            match = re.search(pattern, self.output())
            if not match and not self.alive():
                raise AssertionError(f"{self.name} ended early: {self.output()[-500:]}")
            return match
        return wait_until(found, f"{self.name} prints '{pattern}'", limit)

    def wait(self, limit=15):
        wait_until(lambda: not self.alive(), f"{self.name} ends", limit)
        return self.popen.returncode

    def kill(self, number=signal.SIGKILL):
        if self.alive():
            self.popen.send_signal(number)

    def stop(self):
        self.kill(signal.SIGTERM)
        try:
            self.popen.wait(2)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


class Played:
    """What a finished `tributary play` left behind."""

    def __init__(self, process, wav, report):
        self.process, self.wav, self.report_path = process, wav, report

    @property
    def code(self):
        return self.process.popen.returncode

    @property
    def output(self):
        return self.process.output()

    @functools.cached_property
    def report(self):
        return json.loads(read(self.report_path))

    @property
    def bytes(self):
        return self.report["total"]["bytes"]

    def check(self, *media_files):
        """It ended well, sounds like the files, and its bytes add up."""
        check(self.code == 0, f"play exited with {self.code}: {self.output[-600:]}")
        check_same_sound(self.wav, media_files)
        check_report(self.report)
        return self


class Scene(contextlib.ExitStack):
    """One case's folder and everything it started."""

    def __init__(self, suite):
        super().__init__()
        self.tributary, self.media = suite.tributary, suite.media
        self.dir = tempfile.mkdtemp(prefix="tributary-")
        self.callback(shutil.rmtree, self.dir, ignore_errors=True)
        self._names = 0

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def folder(self, *parts):
        os.makedirs(self.path(*parts), exist_ok=True)
        return self.path(*parts)

    def start(self, name, argv, **options):
        self._names += 1
        log = self.path(f"{self._names}-{name}.log")
        process = Process(name, [str(a) for a in argv], log, **options)
        self.callback(process.stop)
        return process

    def run(self, *arguments, limit=20):
        """`tributary ARGUMENTS` to its end: (exit code, stdout, stderr)."""
        done = subprocess.run([self.tributary, *map(str, arguments)], capture_output=True,
                              text=True, timeout=limit, stdin=subprocess.DEVNULL, check=False)
        return done.returncode, done.stdout, done.stderr

    def publish(self, *media, edges=(), trackers=(), name="track.torrent", extra=()):
        options = [option for edge in edges for option in ("--edge", edge)]
        options += [option for tracker in trackers for option in ("--tracker", tracker)]
        out = self.path(name)
        code, _, errors = self.run("publish", *media, *options, *extra, "-o", out)
        check(code == 0, f"publish exited with {code}: {errors}")
        return out

    def serve(self, *arguments):
        """A server of ours: (process, HOST:PORT)."""
        process = self.start(arguments[0], [self.tributary, *arguments])
        return process, process.wait_for(r"listening on (\S+)").group(1)

    def origin(self, *extra, folder=None):
        process, address = self.serve("origin", folder or self.media.folder, "--listen",
                                      "127.0.0.1:0", *extra)
        return process, f"http://{address}/"

    def tracker(self, *extra):
        return f"http://{self.serve('tracker', '--listen', '127.0.0.1:0', *extra)[1]}/announce"

    def seed(self, *torrents, data=None, extra=()):
        return self.serve("seed", *torrents, "--data", data or self.media.folder, "--listen",
                          "127.0.0.1:0", *extra)

    def start_play(self, *sources, peers=(), audio="wav-fast", policy="adaptive", extra=(),
                   process=None):
        """`process` holds options of subprocess.Popen."""
        self._names += 1
        wav, report = self.path(f"{self._names}.wav"), self.path(f"{self._names}.json")
        options = [option for peer in peers for option in ("--peer", peer)]
        started = self.start("play", [self.tributary, "play", *sources, "--audio",
                                      f"{audio}:{wav}", "--policy", policy, "--report", report,
                                      *options, *extra], **(process or {}))
        return Played(started, wav, report)

    def play(self, *sources, limit=20, **options):
        played = self.start_play(*sources, **options)
        try:
            played.process.wait(limit)
        except AssertionError as late:
            raise AssertionError(f"{late}; its last words: {played.output[-400:]}") from None
        return played

    def heard(self, played, size):
        """Waits until that many bytes of sound are in the WAV file."""
        def enough():
            check(played.process.alive(), f"play ended early: {played.output[-500:]}")
            return os.path.exists(played.wav) and os.path.getsize(played.wav) >= size
        wait_until(enough, f"{size} bytes of sound")


def swarm_size(tracker, info_hash):
    """(seeds, leechers) that a tracker knows of."""
    url = tracker.replace("/announce", "/scrape") + "?info_hash=" + urllib.parse.quote(info_hash)
    with urllib.request.urlopen(url, timeout=5) as reply:
        body = reply.read()
    seeds = re.search(rb"8:completei(\d+)e", body)
    leechers = re.search(rb"10:incompletei(\d+)e", body)
    return (int(seeds.group(1)) if seeds else 0, int(leechers.group(1)) if leechers else 0)


class Media:
    """The tracks that all cases share."""

    def __init__(self, folder):
        self.folder = folder
        noise = "anoisesrc=a=0.3:r=44100:seed="
        flac = ("-c:a", "flac", "-sample_fmt", "s16")
        self.opus = self._make("tone.opus", "sine=f=440:d=25:r=48000", "-c:a", "libopus",
                               "-b:a", "96k")
        self.flac = self._make("noise.flac", f"{noise}1:d=40", *flac)
        self.first = self._make("01 first.flac", f"{noise}2:d=7", *flac)
        self.second = self._make("02 second.flac", f"{noise}3:d=6", *flac)
        self.mp4 = self._make("index-last.mp4", f"{noise}4:d=25", "-c:a", "aac", "-b:a", "192k")

    def _make(self, name, source, *codec):
        path = os.path.join(self.folder, name)
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-ac", "2", *codec,
                        path], check=True)
        return path

    def video(self, path):
        """20 s of pictures, and of a sound that is small even when decoded."""
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=10:d=20",
                        "-f", "lavfi", "-i", "sine=f=440:r=8000:d=20", "-c:v", "mjpeg", "-q:v", "2",
                        "-c:a", "flac", "-ac", "1", path], check=True)
        return path

    def album(self, folder):
        """A folder of three tracks, one below another folder."""
        os.makedirs(os.path.join(folder, "extra"))
        for source, name in ((self.first, "01 first.flac"), (self.second, "02 second.flac"),
                             (self.opus, "extra/tone.opus")):
            shutil.copy(source, os.path.join(folder, name))
        return folder


Case = collections.namedtuple("Case", "name needs limit function covers")

_running = []  # the suite whose cases the workers run


def _judge(number):
    return _running[0].judge(number)


class Suite:
    """Collects the cases of a program and runs them, as many at once as may be.

    One at a time is for cases that play in real time and would disturb one another. `report` gets, at
    the end, a list of (what the case covers, whether it passed or None where it was skipped) and gives
    lines to print."""

    def __init__(self, at_once=1, report=None):
        self.cases, self.at_once, self.report = [], at_once, report
        self.tributary = self.media = None

    def case(self, name, needs=(), limit=CASE_LIMIT_S, covers=()):
        def add(function):
            self.cases.append(Case(name, needs, limit, function, covers))
            return function
        return add

    def _run_one(self, needs, limit, function):
        missing = [program for program in needs if not shutil.which(program)]
        if missing:
            raise Skipped(f"{', '.join(missing)} not installed")
        with Scene(self) as scene:
            def late(*_):
                raise CaseTimeout(f"took longer than {limit} s")
            signal.signal(signal.SIGALRM, late)
            signal.alarm(limit)
            try:
                function(scene)
            finally:
                signal.alarm(0)

    def judge(self, number):
        """Prints one line; None when skipped."""
        name, needs, limit, function, _ = self.cases[number]
        start = time.monotonic()
        try:
            self._run_one(needs, limit, function)
        except Skipped as reason:
            print(f"[skipped] {name}: {reason}", flush=True)
            return None
        except Exception as error:  # a case that breaks fails; the others still run
            text = " ".join(str(error).split()) or type(error).__name__
            print(f"[FAILED] {name}: {text}", flush=True)
            if not isinstance(error, (AssertionError, CaseTimeout)):
                traceback.print_exc()
            return False
        print(f"[passed] {name} ({time.monotonic() - start:.1f} s)", flush=True)
        return True

    def main(self):
        arguments = sys.argv[1:]
        self.tributary = os.environ.get("TRIBUTARY_BIN")
        if not self.tributary and arguments and os.path.isdir(arguments[0]):
            self.tributary = os.path.join(arguments[0], "demo", "tributary")
        if not self.tributary or not os.access(self.tributary, os.X_OK):
            sys.exit(f"usage: {sys.argv[0]} BUILD_DIR [WORD...]: runs the cases whose names hold a "
                     "WORD; $TRIBUTARY_BIN names the command when it lies elsewhere")
        self.tributary = os.path.abspath(self.tributary)
        words = [a for a in arguments if not os.path.isdir(a)]
        chosen = [number for number, (name, *_) in enumerate(self.cases)
                  if not words or any(word in name for word in words)]
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        with tempfile.TemporaryDirectory(prefix="tributary-media-") as folder:
            self.media = Media(folder)
            _running.append(self)
            # Those that wait longest begin, so that nobody waits for them alone at the end.
            if self.at_once > 1:
                chosen.sort(key=lambda number: -self.cases[number].limit)
            # Forked, so that each worker has the cases, and signals of its own.
            with multiprocessing.get_context("fork").Pool(self.at_once) as workers:
                results = list(workers.map(_judge, chosen, chunksize=1))
                # They end by themselves: one that a signal finds with a lock in hand would hang.
                workers.close()
                workers.join()
        if self.report:
            tried = [(self.cases[number].covers, result) for number, result in zip(chosen, results)]
            print("\n".join(self.report(tried)), flush=True)
        passed, failed = results.count(True), results.count(False)
        print(f"{passed} passed, {failed} failed")
        sys.exit(1 if failed or not passed else 0)
