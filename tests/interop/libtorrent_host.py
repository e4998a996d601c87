#!/usr/bin/python3
"""A libtorrent session as a process, to be started on any network; ends by a signal.

libtorrent_host.py HOST:PORT TORRENT FOLDER RATE [--no-pex]

RATE limits the download, in bytes/s (0: no). Prints "ready" once it has checked what it has, then
what it says of hole punching.
"""
import sys
import time

import libtorrent

POLL_S = 0.05


def main():
    listen, torrent, folder, rate = sys.argv[1:5]
    session = libtorrent.session({
        "listen_interfaces": listen, "enable_dht": False, "enable_lsd": False,
        "enable_upnp": False, "enable_natpmp": False, "download_rate_limit": int(rate),
        "alert_mask": libtorrent.alert.category_t.all_categories},
        flags=0 if "--no-pex" in sys.argv else 1)  # PEX is among its plugins
    settings = libtorrent.add_torrent_params()
    settings.ti = libtorrent.torrent_info(torrent)
    settings.save_path = folder
    settings.flags &= ~libtorrent.torrent_flags.auto_managed
    settings.flags &= ~libtorrent.torrent_flags.paused
    handle = session.add_torrent(settings)
    while str(handle.status().state) not in ("downloading", "seeding"):
        time.sleep(POLL_S)
    print("ready", flush=True)
    while True:
        session.wait_for_alert(1000)
        for alert in session.pop_alerts():
            if "HOLEPUNCH" in alert.message():
                print(alert.message(), flush=True)


if __name__ == "__main__":
    main()
