"""The name server from which Caddy gets the addresses of healthy targets."""

from __future__ import annotations

import socket
import struct

from infra.localcloud.background import Background
from infra.localcloud.elb.nameserver import NameServer, answer


def query(name: str, record_type: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", record_type, 1)


def test_every_address_of_a_name_is_answered() -> None:
    reply = answer(query("80.TG-a"), lambda name: ["127.0.0.10", "127.0.0.11"] if name == "80.tg-a" else [])
    query_id, flags, _, count, *_ = struct.unpack(">6H", reply[:12])
    assert (query_id, flags & 0xF, count) == (7, 0, 2)
    assert reply.endswith(socket.inet_aton("127.0.0.11"))


def test_a_name_without_addresses_does_not_exist() -> None:
    flags, _, count = struct.unpack(">3H", answer(query("80.tg-b"), lambda name: [])[2:8])
    assert (flags & 0xF, count) == (3, 0)


def test_the_name_server_survives_a_malformed_query() -> None:
    server = NameServer(lambda name: ["127.0.0.10"], Background())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.sendto(b"malformed", ("127.0.0.1", server.port))
        client.sendto(query("80.tg-a"), ("127.0.0.1", server.port))
        assert client.recvfrom(512)[0].endswith(socket.inet_aton("127.0.0.10"))
    server.close()
