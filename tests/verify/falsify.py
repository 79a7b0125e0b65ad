"""Makes the certificates of a RUN false: falsify.py RUN FALSE copies it and makes every radius larger."""

import json
import pathlib
import shutil
import sys

FACTOR = 2.0
# A set or a ranking that holds within so much is false nearly everywhere.
WHOLE = 0.5


def falsify(record):
    """Makes what one record certifies false."""
    for found in record.get("certificates", []):
        found["radius"] *= FACTOR
    for found in record.get("guarantees", []):
        found["label_radii"] = [radius * FACTOR for radius in found["label_radii"]]
        found["kept_radii"] = [radius and radius * FACTOR for radius in found["kept_radii"]]
        found["first_radius"] *= FACTOR
        found["set_radius"] = found["kept_radii"][-1] = max(WHOLE, found["set_radius"] * FACTOR)
        # Of a single label the ranking is the first.
        whole = max(WHOLE, found["ranking_radius"] * FACTOR)
        found["ranking_radius"] = whole if found["k"] > 1 else found["first_radius"]
    return record


def main():
    run, false = map(pathlib.Path, sys.argv[1:])
    shutil.copytree(run, false)
    lines = (run / "records.jsonl").read_text().splitlines()
    text = "".join(json.dumps(falsify(json.loads(line))) + "\n" for line in lines)
    (false / "records.jsonl").write_text(text)


main()
