"""Runs the scripts of examples/cluster on a Slurm of this machine alone: an array, a task put back, and the merge.

    python tests/cluster/slurm.py PROGRAM FOLDER

PROGRAM is the built `smoothtopk`, FOLDER is made anew. Root, with Debian's slurm-wlm and munge. The daemons listen on
the loopback, keep their state in FOLDER, and are ended at the end.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "examples/cluster"

CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={state}/munge.sock
CryptoType=crypto/munge
StateSaveLocation={state}/state
SlurmdSpoolDir={state}/spool.%n
SlurmctldPidFile={state}/slurmctld.pid
SlurmdPidFile={state}/slurmd.%n.pid
SlurmctldLogFile={state}/slurmctld.log
SlurmdLogFile={state}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SlurmctldPort=16817
KillWait=5
InactiveLimit=0
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port=17001 CPUs=1 RealMemory=1000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=17002 CPUs=1 RealMemory=1000 State=UNKNOWN
PartitionName=p Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    """One controller and two nodes."""

    def __init__(self, state: Path) -> None:
        (state / "state").mkdir(parents=True)
        for node in ("n1", "n2"):
            (state / f"spool.{node}").mkdir()
        (state / "slurm.conf").write_text(CONF.format(host=socket.gethostname(), state=state))
        key = state / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self.state = state
        self.environment = {**os.environ, "SLURM_CONF": str(state / "slurm.conf")}
        self.daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Slurm:
        state = self.state
        files = [
            f"--{name}={state}/munge.{name.split('-')[0]}" for name in ("key-file", "pid-file", "log-file", "seed-file")
        ]
        self.start("munged", "--force", "--foreground", f"--socket={state}/munge.sock", *files)
        wait_for(lambda: (state / "munge.sock").exists(), "munged")
        self.start("slurmctld", "-D", "-c")
        for node in ("n1", "n2"):
            self.start("slurmd", "-D", "-N", node)
        wait_for(
            lambda: self.call("sinfo", "-h", "-t", "idle", "-o", "%D", check=False).strip() == "2", "two idle nodes"
        )
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()

    def start(self, name: str, *arguments: str) -> None:
        program = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        assert program, name
        output = (self.state / f"{name}.out").open("ab")
        command = [program, *arguments]
        self.daemons.append(subprocess.Popen(command, env=self.environment, stdout=output, stderr=output))

    def call(self, *command: str, check: bool = True, **variables: str) -> str:
        environment = {**self.environment, **variables}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def idle(self) -> str:
        return self.call("sinfo", "-h", "-t", "idle", "-o", "%D", check=False).strip()

    def ended(self, job: str) -> bool:
        return (
            not self.call("squeue", "-h", "-j", job, "-t", "all", "-o", "%T", check=False)
            .replace("COMPLETED", "")
            .strip()
        )

    def wait(self, job: str, seconds: float) -> None:
        wait_for(lambda: self.ended(job), f"job {job}", seconds)


def wait_for(ready: object, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < end, f"{what} did not come in {seconds} s"
        time.sleep(0.2)


def without_times(run: Path) -> dict[str, str]:
    """What a RUN holds, but for times."""
    texts = {path.name: path.read_text() for path in sorted(run.iterdir()) if not path.name.startswith(".")}
    texts["records.jsonl"] = re.sub(r'"seconds":[^,]*', "", texts["records.jsonl"])
    shown = {name: re.sub(r"\t[^\t]*$", "", text, flags=re.M) for name, text in texts.items() if name.startswith("k")}
    return texts | shown


def main(program: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    binaries = folder / "bin"
    binaries.mkdir(parents=True)
    (binaries / "smoothtopk").symlink_to(program)
    data, model = ROOT / "demo/digits_test200.npz", ROOT / "demo/digits_mlp_sigma0.25.onnx"
    certify = ["--model", str(model), "--data", str(data), "--input-scale", "16", "--sigma", "0.25", "--seed", "7"]
    certify += ["--batch", "32", "--k", "1,3", "--max", "40"]
    variables = {"PATH": f"{binaries}:{os.environ['PATH']}", "SMOOTHTOPK_CACHE": "off"}
    small = ["--parsable", "--cpus-per-task=1", "--mem=0", "--chdir", str(folder)]
    whole = folder / "whole"
    command = [str(program), "certify", *certify, "--n", "2000", "--quiet", "--out", str(whole)]
    subprocess.run(command, check=True, env={**os.environ, **variables})
    with Slurm(folder / "slurm") as slurm:
        shards, merged = folder / "shards", folder / "merged"
        array = [*small, "--array=1-4", str(SCRIPTS / "certify.sbatch"), str(shards), *certify, "--n", "2000"]
        start = time.monotonic()
        job = slurm.call("sbatch", *array, **variables).strip()
        merge = [*small, f"--dependency=afterany:{job}", str(SCRIPTS / "merge.sbatch"), str(shards), str(merged)]
        slurm.wait(slurm.call("sbatch", *merge, **variables).strip(), 120)
        assert merged.exists(), "".join(path.read_text() for path in folder.glob("slurm-*.out"))
        print(f"an array of four and its merge took {time.monotonic() - start:.0f} s")
        assert without_times(whole) == without_times(merged), "the merged RUN is not the one of one machine"

        # A task that is told to end puts itself back, and is resumed where it was.
        again = folder / "again"
        long = [*small, "--array=1-1", str(SCRIPTS / "certify.sbatch"), str(again), *certify, "--n", "400000"]
        job = slurm.call("sbatch", *long, **variables).strip()
        records = again / "shard-1/records.jsonl"
        wait_for(lambda: records.exists() and records.read_text().count("\n") >= 2, "two records")
        slurm.call("scancel", "--batch", "--signal=TERM", f"{job}_1")
        wait_for(lambda: "Restarts=1" in slurm.call("scontrol", "show", "job", f"{job}_1"), "a requeue")
        kept = records.read_text()
        assert 2 <= kept.count("\n") < 40, kept.count("\n")
        # Slurm waits two minutes before it starts a job again.
        slurm.wait(job, 600)
        text = records.read_text()
        assert text.startswith(kept) and text.count("\n") == 40, "the task was not resumed"
        assert [json.loads(line)["index"] for line in text.splitlines()] == list(range(40))
        print(f"a task that was put back after {kept.count(chr(10))} of 40 examples was resumed")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
