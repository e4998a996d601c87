"""Which client was tried with what, both ways; printed at the end of tests/interop/run."""

LIBTORRENT, TRANSMISSION, ARIA2, WEBTORRENT = "libtorrent", "transmission", "aria2", "webtorrent"
CLIENTS = {LIBTORRENT: "libtorrent 2.0.8", TRANSMISSION: "Transmission 3.00", ARIA2: "aria2 1.36",
           WEBTORRENT: "webtorrent 1.9.7"}
FROM, TO = "from", "to"  # them, us
TCP, UTP, MSE, V1, V2, HYBRID = "TCP", "uTP", "MSE", "v1", "v2", "hybrid"
MAGNET, PEX, DHT, WEB_SEED = "magnet", "PEX", "DHT", "web seed"
FEATURES = (TCP, UTP, MSE, V1, V2, HYBRID, MAGNET, PEX, DHT, WEB_SEED)

OPENTRACKER, BITTORRENT_TRACKER = "opentracker", "bittorrent-tracker"
TRACKERS = {OPENTRACKER: "opentracker", BITTORRENT_TRACKER: "bittorrent-tracker 9.19"}
HTTP, UDP = "HTTP", "UDP"

# Why a cell holds no case.
NOT_APPLICABLE = {
    (TRANSMISSION, FROM, V2): "knows no v2", (TRANSMISSION, TO, V2): "knows no v2",
    (TRANSMISSION, FROM, HYBRID): "takes no hybrid torrent, libtorrent's neither",
    (TRANSMISSION, TO, HYBRID): "takes no hybrid torrent, libtorrent's neither",
    (ARIA2, FROM, UTP): "has no uTP", (ARIA2, TO, UTP): "has no uTP",
    (ARIA2, FROM, V2): "knows no v2", (ARIA2, TO, V2): "knows no v2",
    (ARIA2, FROM, HYBRID): "computes another info-hash of a hybrid than libtorrent does",
    (ARIA2, TO, HYBRID): "computes another info-hash of a hybrid than libtorrent does",
    (WEBTORRENT, FROM, UTP): "has uTP by a native addition that has to be compiled",
    (WEBTORRENT, TO, UTP): "has uTP by a native addition that has to be compiled",
    (WEBTORRENT, FROM, V2): "knows no v2", (WEBTORRENT, TO, V2): "knows no v2",
    **{(client, FROM, WEB_SEED): "a client fetches from web seeds and is none" for client in CLIENTS},
}


def gives(client, *features):
    """The cells of a case in which we get from them."""
    return [(client, FROM, feature) for feature in features]


def takes(client, *features):
    """The cells of a case in which they get from us."""
    return [(client, TO, feature) for feature in features]


def names(tracker, *schemes):
    """The cells of a case with a tracker of theirs."""
    return [(tracker, FROM, scheme) for scheme in schemes]


def all_cells():
    return [(client, way, feature) for client in CLIENTS for way in (FROM, TO)
            for feature in FEATURES] + [(tracker, FROM, scheme) for tracker in TRACKERS
                                        for scheme in (HTTP, UDP)]


def gaps(covered):
    """Cells that no case covers and of which nobody says why, or both."""
    covered = set(covered)
    return [" ".join(cell) for cell in all_cells()
            if (cell in covered) == (cell in NOT_APPLICABLE)]


def _row(words):
    return "| " + " | ".join(words) + " |"


def render(results):
    """Lines of Markdown. `results` are (cells, True, False or None for skipped) of each case."""
    notes, marks = [], {}

    def note(text):
        if text not in notes:
            notes.append(text)
        return f"– {notes.index(text) + 1}"

    for cells, result in results:
        for cell in cells:
            marks.setdefault(cell, []).append(result)

    def mark(cell):
        if cell in NOT_APPLICABLE:
            return note(NOT_APPLICABLE[cell])
        tried = [result for result in marks.get(cell, []) if result is not None]
        if not tried:
            return note("not run this time")
        return "yes" if all(tried) else "**no**"

    lines = [_row(["", *FEATURES]), _row(["---"] * (len(FEATURES) + 1))]
    for client, title in CLIENTS.items():
        for way, words in ((FROM, f"we get from {title}"), (TO, f"{title} gets from us")):
            lines.append(_row([words, *(mark((client, way, feature)) for feature in FEATURES)]))
    lines += ["", _row(["tracker", HTTP, UDP]), _row(["---"] * 3)]
    for tracker, title in TRACKERS.items():
        lines.append(_row([title, *(mark((tracker, FROM, scheme)) for scheme in (HTTP, UDP))]))
    return lines + [""] + [f"{number}. {text}" for number, text in enumerate(notes, 1)]
