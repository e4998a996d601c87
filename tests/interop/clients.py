"""The other programs: how each is started on loopback alone, without DHT, LPD and PEX, and without
uTP where that is not said."""
import base64
import filecmp
import ipaddress
import json
import os
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from harness import Skipped, can_connect, check, free_port, read, wait_until, write

try:
    import libtorrent
except ImportError:
    libtorrent = None

V1, HYBRID, V2 = "v1", "hybrid", "v2"

# Settings of libtorrent: encrypted connections alone, both ways, all of them in RC4; or none.
FORCED = {"in_enc_policy": 0, "out_enc_policy": 0, "allowed_enc_level": 2}
PLAIN = {"in_enc_policy": 2, "out_enc_policy": 2}


def need_libtorrent():
    if libtorrent is None:
        raise Skipped("the Python module libtorrent is not installed")


def make_with_libtorrent(path, version, out, trackers=(), piece_size=65536):
    need_libtorrent()
    flags = {V1: libtorrent.create_torrent.v1_only, HYBRID: 0,
             V2: libtorrent.create_torrent.v2_only}[version]
    files = libtorrent.file_storage()
    libtorrent.add_files(files, path)
    torrent = libtorrent.create_torrent(files, piece_size, flags)
    for tracker in trackers:
        torrent.add_tracker(tracker)
    libtorrent.set_piece_hashes(torrent, os.path.dirname(path))
    return write(out, libtorrent.bencode(torrent.generate()))


def make_with_mktorrent(path, out, trackers=("http://127.0.0.1:1/announce",), edges=()):
    options = [option for tracker in trackers for option in ("-a", tracker)]
    options += [option for edge in edges for option in ("-w", edge)]
    subprocess.run(["mktorrent", *options, "-l", "16", "-o", out, path], check=True,
                   capture_output=True)
    return out


def inspect(scene, torrent):
    code, out, errors = scene.run("inspect", torrent, "--json")
    check(code == 0, f"inspect exited with {code}: {errors}")
    return json.loads(out)


def v1_hash(torrent):
    need_libtorrent()
    return libtorrent.torrent_info(torrent).info_hashes().v1.to_bytes()


def announce(tracker, info_hash, peer):
    """Tells our tracker of a peer in that peer's name; both are at one address."""
    query = urllib.parse.urlencode({
        "info_hash": info_hash, "peer_id": os.urandom(20), "port": peer.split(":")[1], "uploaded": 0,
        "downloaded": 0, "left": 0, "compact": 1, "event": "started"})
    with urllib.request.urlopen(f"{tracker}?{query}", timeout=5) as reply:
        check(b"failure" not in reply.read(), "the tracker takes the announcement")


def check_same_file(media, folder):
    copy = os.path.join(folder, os.path.basename(media))
    check(filecmp.cmp(media, copy, shallow=False), f"{copy} differs from {media}")


class Libtorrent:
    """A libtorrent session in this process."""

    def __init__(self, scene, **settings):
        need_libtorrent()
        self.session = libtorrent.session({
            "listen_interfaces": "127.0.0.1:0", "enable_dht": False, "enable_lsd": False,
            "enable_upnp": False, "enable_natpmp": False, "enable_incoming_utp": False,
            "enable_outgoing_utp": False, "allow_multiple_connections_per_ip": True,
            "alert_mask": libtorrent.alert.category_t.all_categories, **settings})
        scene.callback(self.close)
        wait_until(self.session.listen_port, "libtorrent listens")
        self.address = f"127.0.0.1:{self.session.listen_port()}"

    def close(self):
        for handle in self.session.get_torrents():
            self.session.remove_torrent(handle)
        self.session = None  # its destructor waits for its threads

    def add(self, torrent, folder, peers=()):
        settings = libtorrent.add_torrent_params()
        settings.ti = libtorrent.torrent_info(torrent)
        settings.save_path = folder
        handle = self.session.add_torrent(settings)
        for peer in peers:
            host, port = peer.split(":")
            handle.connect_peer((host, int(port)))
        return handle

    def add_magnet(self, link, folder, peers=()):
        settings = libtorrent.parse_magnet_uri(link)
        settings.save_path = folder
        handle = self.session.add_torrent(settings)
        for peer in peers:
            host, port = peer.split(":")
            handle.connect_peer((host, int(port)))
        return handle

    def peers(self):
        """What it knows of those it is connected to, over all torrents."""
        return [peer for handle in self.session.get_torrents() for peer in handle.get_peer_info()
                if not peer.flags & (peer.connecting | peer.handshake)]

    def log(self):
        return "\n".join(alert.message() for alert in self.session.pop_alerts())

    def finish(self, handle, limit=20):
        """Waits until it has everything, has checked it and written it."""
        try:
            wait_until(lambda: handle.status().is_seeding, "libtorrent is complete", limit)
        except AssertionError as late:
            trouble = [line for line in self.log().splitlines()
                       if re.search("error|invalid|fail|disconnect|reject", line, re.I)]
            raise AssertionError(f"{late}; {trouble[-6:]}") from None
        check(not handle.status().errc.value(), str(handle.status().errc.message()))
        handle.flush_cache()  # it checks what it has yet to write
        wait_until(lambda: any(isinstance(alert, libtorrent.cache_flushed_alert)
                               for alert in self.session.pop_alerts()),
                   "libtorrent has written it", limit)

    def seed(self, torrent, folder):
        handle = self.add(torrent, folder)
        self.finish(handle)
        return handle


# Settings of a libtorrent session that talks uTP and nothing else.
UTP_ALONE = {"enable_incoming_utp": True, "enable_outgoing_utp": True,
             "enable_incoming_tcp": False, "enable_outgoing_tcp": False}


class LibtorrentDht(Libtorrent):
    """A libtorrent session that takes part in the DHT, through these nodes and nobody else."""

    def __init__(self, scene, nodes=()):
        super().__init__(scene, enable_dht=True, dht_bootstrap_nodes="",
                         dht_restrict_routing_ips=False, dht_restrict_search_ips=False)
        wait_until(self.session.is_dht_running, "libtorrent's DHT runs")
        self.torrent, self.folder = None, scene.dir
        for node in nodes:
            host, port = node.split(":")
            self.session.add_dht_node((host, int(port)))

    def close(self):
        self.torrent = None
        super().close()

    def announce(self, info_hash):
        """Says that this session has the torrent; at its own address."""
        if self.torrent is None:
            settings = libtorrent.parse_magnet_uri(f"magnet:?xt=urn:btih:{info_hash.hex()}")
            settings.save_path = self.folder
            self.torrent = self.session.add_torrent(settings)
        self.torrent.force_dht_announce()

    def find(self, info_hash, address, limit=15):
        """Asks until the DHT names this address."""
        host, port = address.split(":")

        def named():
            self.session.dht_get_peers(libtorrent.sha1_hash(info_hash))
            found = [peer for alert in self.session.pop_alerts()
                     if isinstance(alert, libtorrent.dht_get_peers_reply_alert)
                     for peer in alert.peers()]
            return (host, int(port)) in found

        wait_until(named, f"libtorrent finds {address}", limit)


def saved_dht(nodes):
    """The file in which Transmission keeps its DHT's nodes."""
    compact = b"".join(ipaddress.ip_address(host).packed + int(port).to_bytes(2, "big")
                       for host, port in (node.split(":") for node in nodes))
    return b"d2:id20:" + os.urandom(20) + b"5:nodes%d:%be" % (len(compact), compact)


class Transmission:
    """A transmission-daemon. It dials no peers at 127.*, so others have to dial it there."""

    def __init__(self, scene, encryption=1, utp=False, host="127.0.0.1", pex=False, dht=None, down=None):
        """`encryption` is 0 where plain connections are preferred, 2 where none are taken. `dht` are
        nodes that it knew when it last ran, `down` a limit in kB/s."""
        self.rpc, self.port = free_port(), free_port()
        self.token = ""
        config = scene.folder("transmission")
        self.folder = scene.folder("transmission", "data")
        if dht:
            write(os.path.join(config, "dht.dat"), saved_dht(dht))
        write(os.path.join(config, "settings.json"), json.dumps({
            "rpc-bind-address": "127.0.0.1", "rpc-port": self.rpc, "peer-port": self.port,
            "bind-address-ipv4": host, "bind-address-ipv6": "::1", "dht-enabled": bool(dht),
            "lpd-enabled": False, "utp-enabled": utp, "pex-enabled": pex,
            "speed-limit-down": down or 0, "speed-limit-down-enabled": down is not None,
            "port-forwarding-enabled": False, "encryption": encryption, "rpc-authentication-required": False,
            "rpc-whitelist-enabled": False, "rpc-host-whitelist-enabled": False,
            "download-dir": self.folder, "trash-original-torrent-files": False}).encode())
        # -O -Y: what is not on the command line may come from defaults.
        self.process = scene.start("transmission", [
            "transmission-daemon", "-f", "--config-dir", config, "-o" if dht else "-O", "-Y", "-M",
            "--utp" if utp else "--no-utp"])
        # No probe of the peer port: that would take the one handshake allowed for each address.
        wait_until(lambda: can_connect(self.rpc), "transmission's RPC")
        self.address = f"{host}:{self.port}"

    def call(self, method, **arguments):
        body = json.dumps({"method": method, "arguments": arguments}).encode()
        for _ in range(2):
            request = urllib.request.Request(f"http://127.0.0.1:{self.rpc}/transmission/rpc", body,
                                             {"X-Transmission-Session-Id": self.token})
            try:
                with urllib.request.urlopen(request, timeout=10) as reply:
                    answer = json.load(reply)
                check(answer["result"] == "success", f"transmission says {answer['result']}")
                return answer["arguments"]
            except urllib.error.HTTPError as error:
                self.token = error.headers.get("X-Transmission-Session-Id", "")
        raise AssertionError(f"transmission refuses {method}")

    def add(self, torrent, folder=None):
        self.call("torrent-add", metainfo=base64.b64encode(read(torrent)).decode(),
                  **{"download-dir": folder or self.folder})

    def understands(self, torrent):
        try:
            self.add(torrent)
        except AssertionError:
            return False
        self.call("torrent-remove", ids=[1])
        return True

    def state(self):
        return self.call("torrent-get", fields=["percentDone", "status", "errorString"]
                         )["torrents"][0]

    def finish(self, limit=20):
        seeding = 6
        wait_until(lambda: self.state()["percentDone"] == 1 and self.state()["status"] == seeding,
                   "transmission is complete", limit)

    def seed(self, torrent, folder):
        self.add(torrent, folder)
        self.finish()


class Aria2:
    """An aria2c for one torrent."""

    def __init__(self, scene, torrent, folder, extra=()):
        self.rpc, port = free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        self.process = scene.start("aria2", [
            "aria2c", "--no-conf", "--dir", folder, f"--listen-port={port}",
            "--interface=127.0.0.1", "--enable-dht=false", "--enable-dht6=false",
            "--bt-enable-lpd=false", "--enable-peer-exchange=false", "--seed-ratio=0.0",
            "--check-integrity=true", "--allow-overwrite=true", "--file-allocation=none",
            "--enable-rpc=true", f"--rpc-listen-port={self.rpc}", "--rpc-listen-all=false",
            "--console-log-level=info", "--summary-interval=0", *extra, torrent])
        wait_until(lambda: can_connect(self.rpc), "aria2's RPC")

    def state(self):
        body = json.dumps({"jsonrpc": "2.0", "id": "1", "method": "aria2.tellActive"}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.rpc}/jsonrpc", body, 10) as reply:
            active = json.load(reply)["result"]
        return active[0] if active else {}

    def finish(self, limit=20):
        def complete():
            check(self.process.alive(), f"aria2 ended: {self.process.output()[-400:]}")
            return self.state().get("seeder") == "true"
        wait_until(complete, "aria2 is complete", limit)


NODE_MODULES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(
    __file__)))), "build", "rivals", "node_modules")


def start_node(scene, name, module, *argv):
    """A program of Node.js that uses a module of the npm registry; it listens on loopback alone."""
    if not os.path.isdir(os.path.join(NODE_MODULES, module)):
        raise Skipped(f"{module} is not installed below {NODE_MODULES}")
    here = os.path.dirname(os.path.abspath(__file__))
    return scene.start(name, ["node", "-r", os.path.join(here, "loopback.cjs"), *argv], cwd=here,
                       env={**os.environ, "NODE_PATH": NODE_MODULES})


class WebTorrent:
    """A webtorrent for one torrent or magnet link; `told` is described in webtorrent.cjs."""

    def __init__(self, scene, torrent, folder, **told):
        self.process = start_node(scene, "webtorrent", "webtorrent", "webtorrent.cjs", json.dumps(
            {"torrent": torrent, "folder": folder, **told}))
        self.address = "127.0.0.1:" + self.process.wait_for(r"listening (\d+)").group(1)

    def finish(self, limit=20):
        self.process.wait_for("complete", limit)


NGINX = """
daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log {dir}/access.log;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  server {{ listen {host}:{port} {listen}; root "{root}"; {extra} }}
}}
"""


def start_nginx(scene, root, extra="", listen="", host="127.0.0.1"):
    """The URL of an nginx that serves a folder."""
    port, folder = free_port(), scene.folder("nginx")
    config = write(os.path.join(folder, "nginx.conf"),
                   NGINX.format(dir=folder, port=port, root=root, extra=extra, listen=listen,
                                host=host).encode())
    scene.start("nginx", ["nginx", "-p", folder, "-c", config])
    wait_until(lambda: can_connect(port, host), "nginx listens")
    return f"http://{host}:{port}/"


class SecureNginx:
    """An nginx with TLS, and a certificate of its own for `subject`, such as IP:127.0.0.1."""

    def __init__(self, scene, root, protocol="", subject="IP:127.0.0.1", extra=""):
        folder = scene.folder("nginx")
        self.certificate, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=tributary test", "-addext", f"subjectAltName={subject}", "-keyout", key,
                        "-out", self.certificate], check=True, capture_output=True)
        self.url = start_nginx(scene, root, f"ssl_certificate {self.certificate}; "
                               f"ssl_certificate_key {key}; {extra}", f"ssl {protocol}"
                               ).replace("http:", "https:")
        self.access_log = os.path.join(folder, "access.log")

    def trusted(self):
        """Options of a process that trusts its certificate."""
        return {"env": {**os.environ, "SSL_CERT_FILE": self.certificate}}

    def protocols(self):
        """The versions of HTTP that its log tells of, one for each request."""
        return re.findall(r'"[A-Z]+ \S+ (HTTP/[0-9.]+)"', read(self.access_log).decode())


def start_opentracker(scene, port, info_hash):
    """Debian's knows only the torrents of a white list."""
    folder = scene.folder("opentracker")
    os.chmod(scene.dir, 0o755)  # it gives up root
    write(scene.path("opentracker", "whitelist"), info_hash.hex().encode() + b"\n")
    tracker = scene.start("opentracker", ["opentracker", "-i", "127.0.0.1", "-p", port, "-P", port,
                                          "-d", folder, "-w", "/whitelist"])  # it changes its root
    wait_until(lambda: can_connect(port), "opentracker listens")
    return tracker


def start_bittorrent_tracker(scene, port, info_hash):
    del info_hash  # it knows every torrent
    program = os.path.join(NODE_MODULES, "bittorrent-tracker", "bin", "cmd.js")
    start_node(scene, "bittorrent-tracker", "bittorrent-tracker", program, "--port", port, "--http",
               "--udp").wait_for("UDP tracker:")
