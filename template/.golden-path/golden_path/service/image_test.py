"""Start the image as the cluster would, wait until it is ready, stop it.

usage: image-test IMAGE PORT
"""

import subprocess
import sys
import time
import urllib.error
import urllib.request

READY_SECONDS = 60
# The defaults of SHUTDOWN_DRAIN_SECONDS and SHUTDOWN_GRACE_SECONDS, and some seconds more.
STOP_SECONDS = 30
RESTRICTED = (
    "--read-only --tmpfs /tmp:mode=1777,size=64m --user 65532:65532 --cap-drop ALL --security-opt no-new-privileges"
)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def ready(url: str) -> bool:
    # Loopback never goes through a proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            status: int = answer.status
            return status == 200
    except OSError:
        return False


def main(image: str, port: str) -> int:
    container = docker("run", "--detach", *RESTRICTED.split(), "--publish", f"127.0.0.1::{port}", image)
    try:
        where = docker("port", container, f"{port}/tcp")
        begun = time.monotonic()
        while not ready(f"http://{where}/readyz"):
            running = docker("inspect", "--format", "{{.State.Running}}", container) == "true"
            if not running or time.monotonic() - begun > READY_SECONDS:
                sys.stderr.write(
                    subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True).stdout
                )
                sys.stderr.write(f"{image} {'was not ready in time' if running else 'ended before it was ready'}\n")
                return 1
            time.sleep(0.05)
        begun = time.monotonic()
        docker("stop", "--time", str(STOP_SECONDS), container)
        if time.monotonic() - begun >= STOP_SECONDS:
            sys.stderr.write(f"{image} did not stop within {STOP_SECONDS} seconds of SIGTERM\n")
            return 1
        return 0
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"{' '.join(error.cmd)}: {error.stderr}\n")
        return 1
    finally:
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)
