"""Counts the instructions that a row costs beside the model, and holds them against the figures committed.

    python3 scripts/count_instructions.py PROGRAM FIGURES [--write]

PROGRAM is benches/instructions.rs, built; FIGURES has a line `CASE INSTRUCTIONS` for each of its cases. Each case runs twice under
callgrind, with few and with many rows: the difference over the rows between is what a row costs, whatever starting costs.
Counted is what the program executes itself: ONNX Runtime, libc and the loader are other objects, and left out.
Fails where a figure has grown by more than a tenth; `--write` writes what was counted.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

FEW, MANY = 2_000, 6_000
TOLERANCE = 0.10


def own_instructions(out, program):
    """Self cost of all lines of callgrind's file that belong to `program`."""
    names, counted, total, skip = {}, False, 0, False
    for line in out.read_text().splitlines():
        if line.startswith("ob="):
            number, name = re.fullmatch(r"ob=\((\d+)\)(?: (.*))?", line).groups()
            names.setdefault(number, name)
            counted = names[number] == program
        elif line.startswith(("cob=", "cobs=")):
            number, name = re.fullmatch(r"cobs?=\((\d+)\)(?: (.*))?", line).groups()
            names.setdefault(number, name)
        elif line.startswith("calls="):
            # The next line's cost is the callee's.
            skip = True
        elif re.match(r"[\d+*-]", line):
            cost = line.split()[1:2]
            if counted and not skip and cost:
                total += int(cost[0])
            skip = False
    return total


def count(program, case, rows):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "callgrind.out")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program, case, str(rows)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"count_instructions: {' '.join(command)}:\n{done.stdout}{done.stderr}")
        return own_instructions(out, program)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("figures", type=pathlib.Path)
    parser.add_argument("--write", action="store_true", help="write the figures")
    args = parser.parse_args()
    program = str(args.program.resolve())
    figures = dict(line.split() for line in args.figures.read_text().splitlines() if line and line[0] != "#")
    grown, lines = [], [line for line in args.figures.read_text().splitlines() if line.startswith("#")]
    for case, figure in figures.items():
        found = (count(program, case, MANY) - count(program, case, FEW)) / (MANY - FEW)
        share = found / float(figure) - 1
        print(f"{case}: {found:.0f} instructions a row, {share:+.1%} against {figure}")
        lines.append(f"{case} {found:.0f}")
        if share > TOLERANCE:
            grown.append(case)
        elif share < -TOLERANCE:
            print(f"{case}: less than before; keep it so: make count-instructions")
    if args.write:
        args.figures.write_text("\n".join(lines) + "\n")
    elif grown:
        sys.exit(
            f"count_instructions: grown by more than {TOLERANCE:.0%}: {', '.join(grown)}; if it has to be: make count-instructions"
        )


if __name__ == "__main__":
    main()
