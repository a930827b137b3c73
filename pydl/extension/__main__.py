"""``python -m pydl.extension``: start an extension, or ask where headers and CMake files are."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pydl.extension.new import new_extension
from pydl.extension.paths import cmake_folder, include_folder


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pydl.extension", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    new = commands.add_parser("new", help="write a working extension to start from")
    new.add_argument("name", help="of the op and of its namespace: letters, digits and _")
    new.add_argument("--folder", type=Path, help="where to put it; default: ./NAME")
    commands.add_parser("cmake", help="print the folder for find_package(pydl)")
    commands.add_parser("include", help="print the folder of the headers")
    options = parser.parse_args(arguments)
    if options.command == "cmake":
        print(cmake_folder())
    elif options.command == "include":
        print(include_folder())
    else:
        try:
            folder = new_extension(options.name, options.folder)
        except (ValueError, OSError) as error:
            print(error, file=sys.stderr)
            return 1
        print(f"Wrote {folder}. Next: cd {folder}; README.md says how to build and test it.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
