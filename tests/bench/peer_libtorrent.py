#!/usr/bin/python3
"""One side of a transfer with libtorrent; prints one JSON line of costs, as wire_bench does.

peer_libtorrent.py seed TORRENT FOLDER            until its standard input ends
peer_libtorrent.py leech TORRENT FOLDER PORT      until it has all, from 127.0.0.1:PORT
peer_libtorrent.py seeds FOLDER TORRENT...        several, until it is stopped; no costs
peer_libtorrent.py dht                            a node of the DHT, until it is stopped; no costs

A last word "encrypted" has all connections in RC4; "utp ADDRESS" before it, where the seed is then,
by uTP.
"""
import json
import resource
import sys
import threading
import time

import libtorrent

# TCP in the clear, no discovery, no limits, deep queues: what a transfer on loopback wants.
SETTINGS = {
    "listen_interfaces": "127.0.0.1:0", "enable_dht": False, "enable_lsd": False,
    "enable_upnp": False, "enable_natpmp": False, "enable_incoming_utp": False,
    "enable_outgoing_utp": False, "allow_multiple_connections_per_ip": True,
    "in_enc_policy": 2, "out_enc_policy": 2, "unchoke_slots_limit": -1,
    "max_out_request_queue": 1500, "max_allowed_in_request_queue": 4000,
    "send_buffer_watermark": 3 * 1024 * 1024, "send_buffer_watermark_factor": 150,
    "send_buffer_low_watermark": 512 * 1024, "max_queued_disk_bytes": 64 * 1024 * 1024,
    "send_socket_buffer_size": 1024 * 1024, "recv_socket_buffer_size": 1024 * 1024,
    "request_queue_time": 10, "suggest_mode": 0, "alert_mask": 0}
ENCRYPTED = {"in_enc_policy": 0, "out_enc_policy": 0, "allowed_enc_level": 2}
UTP = {"enable_incoming_utp": True, "enable_outgoing_utp": True, "enable_incoming_tcp": False,
       "enable_outgoing_tcp": False}
POLL_S = 0.02


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def add(session, torrent, folder, seeding):
    settings = libtorrent.add_torrent_params()
    settings.ti = libtorrent.torrent_info(torrent)
    settings.save_path = folder
    if not seeding:
        settings.flags &= ~libtorrent.torrent_flags.auto_managed
        settings.flags &= ~libtorrent.torrent_flags.paused
    return session.add_torrent(settings)


def wait_for(condition, limit=600):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            sys.exit("peer_libtorrent: took too long")
        time.sleep(POLL_S)


def show(wall_s, cpu_s, size):
    # Not ru_maxrss, which a process inherits from the one that started it.
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "peak_kib": peak, "bytes": size}),
          flush=True)


def seed(session, torrent, folder):
    handle = add(session, torrent, folder, True)
    wait_for(lambda: handle.status().is_seeding)
    print(f"listening on {session.listen_port()}", flush=True)
    cpu, start, ended = cpu_seconds(), time.monotonic(), threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    ended.wait()
    show(time.monotonic() - start, cpu_seconds() - cpu, handle.status().total_payload_upload)


def leech(session, torrent, folder, port):
    handle = add(session, torrent, folder, False)
    wait_for(lambda: str(handle.status().state) == "downloading")
    cpu, start = cpu_seconds(), time.monotonic()
    handle.connect_peer(("127.0.0.1", port))
    wait_for(lambda: handle.status().is_seeding)
    wall = time.monotonic() - start
    show(wall, cpu_seconds() - cpu, handle.status().total_payload_download)


def seeds(folder, torrents):
    session = libtorrent.session({**SETTINGS, "connections_limit": 5000, "active_seeds": 1000,
                                  "active_limit": 1000, "listen_queue_size": 1000})
    wait_for(session.listen_port)
    handles = [add(session, torrent, folder, True) for torrent in torrents]
    for handle in handles:
        handle.set_max_connections(-1)
    wait_for(lambda: all(handle.status().is_seeding for handle in handles))
    print(f"listening on {session.listen_port()}", flush=True)
    threading.Event().wait()


def dht():
    session = libtorrent.session({
        **SETTINGS, "enable_dht": True, "dht_bootstrap_nodes": "", "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False, "dht_upload_rate_limit": 1_000_000_000,
        "dht_block_ratelimit": 1_000_000})
    wait_for(session.is_dht_running)
    print(f"listening on {session.listen_port()}", flush=True)
    threading.Event().wait()


def main():
    if sys.argv[1] == "seeds":
        return seeds(sys.argv[2], sys.argv[3:])
    if sys.argv[1] == "dht":
        return dht()
    session = libtorrent.session({**SETTINGS, **(ENCRYPTED if "encrypted" in sys.argv else {}),
                                  **(UTP if "utp" in sys.argv else {})})
    wait_for(session.listen_port)
    if sys.argv[1] == "seed":
        seed(session, *sys.argv[2:4])
    else:
        leech(session, *sys.argv[2:4], int(sys.argv[4]))


if __name__ == "__main__":
    main()
