"""The units and manifests of examples/deploy, checked without systemd or a cluster at work."""

import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "examples/deploy"
# Where each service says its flags.
FLAGS = {
    "smoothtopk-server": (ROOT / "examples/cpp-server/options.cpp").read_text(),
    "go-service": (ROOT / "examples/go-service/main.go").read_text(),
}
OLDEST = "1.29"


def known(program: str, arguments: list[str]) -> bool:
    """Whether the program has every flag among these."""
    flags = [argument for argument in arguments if argument.startswith("-")]
    return bool(flags) and all(f'"{flag}"' in FLAGS[program] or f'"{flag[1:]}",' in FLAGS[program] for flag in flags)


@pytest.mark.parametrize("program", FLAGS)
def test_units(program: str, tmp_path: Path) -> None:
    text = (DEPLOY / f"{program}.service").read_text()
    [command] = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    path, *arguments = command.split()
    assert path.endswith(f"/{program}") and known(program, arguments), command
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[1]) > 5
    if not (verify := shutil.which("systemd-analyze")):
        pytest.skip("SKIPPED: systemd-analyze is not here (Debian's systemd)")
    for line, right in [("", True), ("ProtectSytem=strict\n", False)]:
        unit = tmp_path / f"{program}.service"
        unit.write_text(text.replace(path, "/bin/true").replace("[Install]", line + "[Install]"))
        done = subprocess.run([verify, "verify", unit], capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0 and not done.stderr) == right, done.stderr


@pytest.mark.parametrize("name", ["cpp-server", "go-service"])
def test_manifests(name: str) -> None:
    deployment, service = yaml.safe_load_all((DEPLOY / f"kubernetes-{name}.yaml").read_text())
    for document in (deployment, service):
        kubernetes_validate.validate(document, OLDEST, strict=True)
    pod = deployment["spec"]["template"]
    [container] = pod["spec"]["containers"]
    [program] = container["command"]
    assert known(program, container["args"]), container["args"]
    assert pod["spec"]["terminationGracePeriodSeconds"] > 5
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    for probe, path in [("readinessProbe", "/v2/health/ready"), ("livenessProbe", "/v2/health/live")]:
        assert container[probe]["httpGet"]["path"] == path and f'{path}"' in "".join(sources())
    container["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, OLDEST, strict=True)


def sources() -> list[str]:
    """Where both services have their paths."""
    return [(ROOT / "examples" / file).read_text() for file in ("cpp-server/routes.cpp", "go-service/service.go")]
