#!/usr/bin/env python3
"""The application behind incast.pcapng: a partition/aggregate query.

    incast.py worker ADDRESS PORT ANSWER_BYTES
    incast.py aggregator PORT ROUNDS ANSWER_BYTES WORKER_ADDRESS...

The aggregator keeps one TCP connection to each worker. In each round it sends a 64-byte question to
all of them and waits for every answer before it asks again, as a search front end or a distributed
storage client does: the answers of all workers leave at once and meet on the aggregator's line.
"""
import selectors
import socket
import sys
import time

QUESTION_BYTES = 64
PAUSE_SECONDS = 0.002  # the aggregator's own work between two rounds


def receive_exactly(sock, count):
    data = bytearray()
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise EOFError("the other side closed the connection")
        data += part
    return bytes(data)


def worker(address, port, answer_bytes):
    """Answers one connection until it is closed."""
    with socket.create_server((address, port)) as server:
        connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line = f"result of worker {address}; ".encode()
    body = (line * (answer_bytes // len(line) + 1))[:answer_bytes]
    with connection:
        try:
            while True:
                receive_exactly(connection, QUESTION_BYTES)
                connection.sendall(body)
        except EOFError:
            pass


def aggregator(port, rounds, answer_bytes, workers):
    connections = [socket.create_connection((w, port), timeout=5) for w in workers]
    for connection in connections:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for number in range(rounds):
        question = f"question {number}".encode().ljust(QUESTION_BYTES)
        for connection in connections:
            connection.sendall(question)
        with selectors.DefaultSelector() as waiting:
            for connection in connections:
                waiting.register(connection, selectors.EVENT_READ, [answer_bytes])
            while waiting.get_map():
                ready = waiting.select(timeout=5)
                if not ready:
                    sys.exit("incast.py: no answer for 5 s")
                for key, _ in ready:
                    part = key.fileobj.recv(65536)
                    key.data[0] -= len(part)
                    if not part or key.data[0] < 0:
                        sys.exit("incast.py: an answer of the wrong length")
                    if key.data[0] == 0:
                        waiting.unregister(key.fileobj)
        time.sleep(PAUSE_SECONDS)
    for connection in connections:
        connection.close()


def main(arguments):
    match arguments:
        case ["worker", address, port, answer_bytes]:
            worker(address, int(port), int(answer_bytes))
        case ["aggregator", port, rounds, answer_bytes, *workers] if workers:
            aggregator(int(port), int(rounds), int(answer_bytes), workers)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
