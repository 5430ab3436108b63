"""Answers a constant without reading the request: only shows what the load generator itself can reach. Usage: raw.py PORT"""

import asyncio
import sys

import uvloop

ANSWER = b'HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{"prediction":1}'


class Raw(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(ANSWER)


async def main(port):
    server = await asyncio.get_running_loop().create_server(Raw, "127.0.0.1", port)
    await server.serve_forever()


uvloop.run(main(int(sys.argv[1])))
