"""What the benchmarks share: folders, media, tables."""
import os
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "interop"), os.path.join(TESTS, "e2e")]

import harness  # noqa: E402


class Bench(harness.Scene):
    """One benchmark's folder and processes. `build` is a build directory."""

    def __init__(self, build, quick):
        self.build, self.quick = build, quick
        self.tributary = os.path.join(build, "demo", "tributary")
        self.media = None
        super().__init__(self)

    def program(self, name):
        return os.path.join(self.build, "tests", "bench", name)

    def tracks(self, seconds):
        """A folder with music.opus, about 160 kbit/s, and video.flac, about 2.5 Mbit/s: the bytes
        of a video, without the work of encoding one."""
        folder = self.folder("media")
        noise = f"anoisesrc=c=pink:a=0.3:d={seconds}:r=48000:seed=1"
        encode(noise, "-c:a", "libopus", "-b:a", "160k", "-vbr", "off", "-ac", "2",
               f"{folder}/music.opus")
        noise = [f"anoisesrc=a=0.9:d={seconds}:r=54000:seed={seed}" for seed in (2, 3)]
        encode(f"{noise[0]}[a];{noise[1]}[b];[a][b]amerge=inputs=2", "-c:a", "flac", "-sample_fmt",
               "s32", f"{folder}/video.flac")
        return folder


def encode(source, *arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, *arguments],
                   check=True, stdin=subprocess.DEVNULL)


def bit_rate(path, seconds):
    return os.path.getsize(path) * 8 / seconds


def table(title, command, notes, head, rows):
    """Prints a benchmark's result: what it is, the command line, a Markdown table."""
    print(f"\n### {title}\n\n    {command}\n")
    for note in notes:
        print(f"- {note}")
    print()
    cells = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    for row in cells:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def command_line(*words):
    return shlex.join(os.path.relpath(w, ROOT) if str(w).startswith(ROOT) else str(w)
                      for w in words)


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "–"


def mib(count):
    return f"{count / 2**20:.2f} MiB"
