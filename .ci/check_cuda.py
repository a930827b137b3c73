"""Checks what nvcc made of the kernels. Usage: check_cuda.py BUILD_LOG LIBRARY CUOBJDUMP

The log is that of a build with -Xptxas=-v. cuda_budgets.txt, beside this file, says how many registers
and how much stack a kernel may use and which instructions it must hold.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

FORBIDDEN = re.compile(r"warning|\(C7508\)|\(C7510\)", re.IGNORECASE)  # C75..: wgmma made serial
ENTRY = re.compile(r"Compiling entry function '(\w+)' for '(\w+)'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
REGISTERS = re.compile(r"Used (\d+) registers")
OPCODE = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)")


def read_rules() -> tuple[list[tuple[str, int, int]], list[tuple[str, str, str]]]:
    """Returns the budgets (part of a name, registers, stack) and the expected instructions."""
    budgets, expected = [], []
    for line in (Path(__file__).parent / "cuda_budgets.txt").read_text().splitlines():
        words = line.partition("#")[0].split()
        if words and words[0] == "budget":
            budgets.append((words[1], int(words[2]), int(words[3])))
        elif words and words[0] == "expect":
            expected.append((words[1], words[2], words[3]))
    return budgets, expected


def readable(names: list[str]) -> dict[str, str]:
    """Returns C++ names of mangled ones, without our namespaces and the parameters."""
    output = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True)
    full = output.stdout.replace("pydl::cuda::(anonymous namespace)::", "").replace("void ", "")
    return {name: line.partition("(")[0] for name, line in zip(names, full.splitlines(), strict=True)}


def check_log(log: str, budgets: list[tuple[str, int, int]]) -> tuple[list[str], int]:
    """Returns what is wrong with the compilation, and how many kernels there are."""
    problems = [line for line in log.splitlines() if FORBIDDEN.search(line)]
    names = readable(sorted({name for name, _ in ENTRY.findall(log)}))
    kernel, stack, count = "", (0, 0, 0), 0
    for line in log.splitlines():
        if found := ENTRY.search(line):
            kernel, stack = f"{names[found[1]]} for {found[2]}", (0, 0, 0)
            count += 1
        elif found := STACK.search(line):
            stack = (int(found[1]), int(found[2]), int(found[3]))
        elif (found := REGISTERS.search(line)) and kernel:
            _, registers, room = next(b for b in budgets if b[0] == "*" or b[0] in kernel)
            used = int(found[1])
            if used > registers or stack[0] > room:  # spills are on the stack, too
                problems.append(
                    f"{kernel}: {used} registers of {registers}, {stack[0]} bytes of stack of {room}, "
                    f"{stack[1] + stack[2]} of spills"
                )
            kernel = ""
    return problems, count


def read_instructions(library: str, cuobjdump: str) -> dict[tuple[str, str], Counter[str]]:
    """Returns the opcodes of every kernel of each architecture."""
    opcodes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    architecture = function = ""
    with subprocess.Popen([cuobjdump, "-sass", library], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if found := re.match(r"\s*(?:arch|code for) = ?(sm_\w+)|\s*code for (sm_\w+)", line):
                architecture = found[1] or found[2]
            elif found := re.match(r"\s*Function : (\S+)", line):
                function = found[1]
            elif found := OPCODE.search(line):
                opcodes[function, architecture][found[1]] += 1
    return opcodes


def check_instructions(opcodes: dict[tuple[str, str], Counter[str]], budgets: list, expected: list) -> list[str]:
    """Returns which kernels use the stack or lack an instruction."""
    names = readable(sorted({function for function, _ in opcodes}))
    problems = []
    for (function, architecture), used in opcodes.items():
        name = names[function]
        _, _, room = next(b for b in budgets if b[0] == "*" or b[0] in name)
        if room == 0 and any(op.split(".")[0] in ("LDL", "STL") for op in used):
            problems.append(f"{name} for {architecture}: reads or writes the stack")
    for part, architecture, opcode in expected:
        having = [
            any(op.startswith(opcode) for op in used)
            for (function, arch), used in opcodes.items()
            if part in names[function] and arch == architecture
        ]
        if not having or not all(having):
            problems.append(f"{part} for {architecture}: {opcode} in {sum(having)} of {len(having)} kernels")
    return problems


def main(log: str, library: str, cuobjdump: str) -> int:
    """Prints the problems; returns the exit code."""
    budgets, expected = read_rules()
    problems, kernels = check_log(Path(log).read_text(), budgets)
    opcodes = read_instructions(library, cuobjdump)
    problems += check_instructions(opcodes, budgets, expected)
    if not kernels or not opcodes:
        problems.append(f"found {kernels} kernels in the log and {len(opcodes)} in the library")
    print("\n".join(problems))
    print(f"{kernels} kernels, {Path(library).stat().st_size / 1e6:.1f} MB, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
