"""Ten thousand connections at once, some of them slow: what becomes of requests meanwhile, and of memory.

python crowd.py --polytask PATH [--model DIR] [--connections 9900] [--slow 100]

Every connection asks once and stays open; slow clients send a byte a second. Then requests are timed on connections of their own.
"""
import argparse
import asyncio
import json
import resource
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PORT = 9321
BODY = json.dumps({"rows": [{"age": 34.5, "sex": "female"}]}).encode()
HEAD = b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY)


def memory(pid):
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def ask(reader, writer):
    writer.write(HEAD + BODY)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    body = await reader.readexactly(length)
    return int(head.split()[1]), body


async def main(arguments, server):
    before = memory(server.pid)
    open_connections, statuses = [], {}
    for start in range(0, arguments.connections, 500):
        opened = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", PORT) for _ in range(min(500, arguments.connections - start))))
        for status, _ in await asyncio.gather(*(ask(*connection) for connection in opened)):
            statuses[status] = statuses.get(status, 0) + 1
        open_connections += opened

    async def dribble(reader, writer):
        try:
            for byte in HEAD + BODY:
                writer.write(bytes([byte]))
                await asyncio.sleep(1)
        except OSError:
            pass

    slow = [await asyncio.open_connection("127.0.0.1", PORT) for _ in range(arguments.slow)]
    dribbling = [asyncio.create_task(dribble(*connection)) for connection in slow]
    await asyncio.sleep(1)
    times = []
    reader, writer = open_connections[0]
    for _ in range(2000):
        start = time.perf_counter()
        status, _ = await ask(reader, writer)
        assert status == 200, status
        times.append(1e3 * (time.perf_counter() - start))
    during = memory(server.pid)
    [task.cancel() for task in dribbling]
    for _, writer in open_connections + slow:
        writer.transport.abort()
    await asyncio.sleep(2)
    times.sort()
    print(f"{arguments.connections} connections answered: {statuses}; {arguments.slow} slow ones beside them")
    print(f"2000 requests meanwhile: p50 {statistics.median(times):.3f} ms, p99 {times[1979]:.3f} ms")
    print(f"memory: {before:.0f} MB before, {during:.0f} MB with all of them, {memory(server.pid):.0f} MB after")


parser = argparse.ArgumentParser()
parser.add_argument("--polytask", required=True)
parser.add_argument("--model")
parser.add_argument("--connections", type=int, default=9800)
parser.add_argument("--slow", type=int, default=100)
arguments = parser.parse_args()
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
model = arguments.model or str(Path(tempfile.mkdtemp()) / "growth")
if arguments.model is None:
    config = HERE.parent.parent / "examples/growth/config.toml"
    subprocess.run([arguments.polytask, "train", config, "--out", model], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
server = subprocess.Popen([arguments.polytask, "serve", model, "--port", str(PORT)], stderr=subprocess.DEVNULL)
time.sleep(1)
try:
    asyncio.run(main(arguments, server))
finally:
    server.send_signal(signal.SIGTERM)
    print("ended with status", server.wait())
