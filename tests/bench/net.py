"""Hosts in network namespaces of their own, each behind a modelled access link. Needs root."""
import contextlib
import ctypes
import os
import subprocess
import time
from typing import NamedTuple

from common import harness

QUEUE_MS = 100  # of what a link carries in that time, so much waits at most
QUIET_S = 0.2  # of silence: no packet stays under way so long
CLONE_NEWNET = 0x40000000  # of <sched.h>


class Access(NamedTuple):
    """A host's link: rates in bit/s, and how long a packet takes each way."""
    up: int
    down: int
    delay_ms: int


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    harness.check(done.returncode == 0, f"ip {' '.join(words)}: {done.stderr.strip()}")


class Net:
    """A namespace for each host, all joined by links to one that passes packets on."""

    def __init__(self, bench, hosts):
        harness.check(os.geteuid() == 0, "root is needed, for network namespaces and TUN devices")
        self.tag, self.links, self.spaces = os.getpid(), [], []
        self.router = self._space("router")
        ip("netns", "exec", self.router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for place, access in enumerate(hosts):
            self._join(bench, place, access)

    def _space(self, name):
        space = f"tributary-{name}-{self.tag}"
        ip("netns", "add", space)
        self.spaces.append(space)
        ip("-n", space, "link", "set", "lo", "up")
        return space

    def _join(self, bench, place, access):
        space = self._space(str(place))
        inner, outer = f"ti{place}x{self.tag}"[:15], f"to{place}x{self.tag}"[:15]
        link = subprocess.Popen(
            [bench.program("tun_link"), inner, outer, str(access.up), str(access.delay_ms),
             str(access.down // 8 * QUEUE_MS // 1000), str(access.down)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.links.append(link)
        harness.check(link.stdout.readline() == "ready\n", "tun_link makes no devices")
        for name, where in ((inner, space), (outer, self.router)):
            ip("link", "set", name, "netns", where)
            ip("-n", where, "link", "set", name, "up", "mtu", "1500")
        ip("-n", space, "address", "add", self.address(place) + "/32", "dev", inner)
        ip("-n", space, "route", "add", "default", "dev", inner)
        ip("-n", self.router, "route", "add", self.address(place), "dev", outer)

    @staticmethod
    def address(place):
        return f"10.78.0.{place + 1}"

    def inside(self, place, *argv):
        return ["ip", "netns", "exec", self.spaces[place + 1], *map(str, argv)]

    @contextlib.contextmanager
    def at(self, place):
        """This thread, and what it starts, are that host meanwhile."""
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(f"/run/netns/{self.spaces[place + 1]}", "rb") as there:
            _enter(there)
            try:
                yield
            finally:
                _enter(home)

    @staticmethod
    def settle():
        """Waits until nothing more arrives at the host that this thread is: a connection that was
        broken off leaves what was under way."""
        def received():
            with open("/proc/thread-self/net/dev", encoding="ascii") as file:
                return [line.split()[1] for line in file]
        before = None
        while before != (before := received()):
            time.sleep(QUIET_S)

    def close(self):
        for link in self.links:
            link.stdin.close()
            link.wait(10)
        for space in self.spaces:
            subprocess.run(["ip", "netns", "delete", space], check=False, capture_output=True)


class Loopback:
    """Instead of a net: every host is this one."""

    @staticmethod
    def address(_place):
        return "127.0.0.1"

    @staticmethod
    def at(_place):
        return contextlib.nullcontext()

    def settle(self):
        pass

    def close(self):
        pass


def _enter(space):
    libc = ctypes.CDLL(None, use_errno=True)
    harness.check(libc.setns(space.fileno(), CLONE_NEWNET) == 0,
                  f"setns: {os.strerror(ctypes.get_errno())}")
