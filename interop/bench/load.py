"""wrk with a session for each request: requests a second, and how long they took."""

import json
import os
import subprocess

from bench.sites import VERIFY

CONNECTIONS = 16
#: Takes the next session for each request; requests are made beforehand, so that wrk costs little.
SCRIPT = """
local threads = 0
function setup(thread) thread:set("first", threads / 2) threads = threads + 1 end
local requests, position = {}, 0
function init()
  for key in io.lines(os.getenv("BENCH_KEYS")) do
    requests[#requests + 1] = wrk.format("GET", nil, {["Cookie"] = "sessionid=" .. key})
  end
  position = math.floor((first + os.getenv("BENCH_START")) * #requests)
end
function request()
  position = position % #requests + 1
  return requests[position]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\n{"seconds": %f, "requests": %d, "broken": %d, "refused": %d, "p50": %f, "p99": %f, "p999": %f}\\n',
    summary.duration / 1e6, summary.requests, e.connect + e.read + e.write + e.timeout, e.status,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3))
end
"""


def wrk(side, keys, seconds, connections=CONNECTIONS, path=VERIFY, start=0.0):
    """What `keys` (a file) asks for, from that part of it on, answered 200 without exception."""
    script = keys.with_suffix(".lua")
    script.write_text(SCRIPT)
    command = [
        "wrk", "-t", str(min(2, connections)), "-c", str(connections), "-d", f"{seconds}s",
        "--timeout", "30s", "-s", str(script), f"{side.url}{path}",
    ]
    done = subprocess.run(
        command, env=os.environ | {"BENCH_KEYS": str(keys), "BENCH_START": str(start)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert not told["broken"] and not told["refused"] and told["requests"], f"{told}\n{side.log_text()}"
    return {
        "rate": told["requests"] / told["seconds"],
        **{name: told[name] for name in ("p50", "p99", "p999")},
    }
