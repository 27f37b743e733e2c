#!/usr/bin/env python3
"""Prints what a CTest run's JUnit report says of time: the sum of all tests, and the slowest ones.

  python3 tools/slowest_tests.py REPORT.xml [--count N]
"""
import argparse
import sys
import xml.etree.ElementTree as xml


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report")
    parser.add_argument("--count", type=int, default=10)
    arguments = parser.parse_args()
    try:
        tests = [(float(case.get("time", 0)), case.get("name", "")) for case in xml.parse(arguments.report).iter("testcase")]
    except (OSError, xml.ParseError, ValueError) as error:
        sys.exit(f"slowest_tests: {arguments.report} cannot be read: {error}")
    tests.sort(key=lambda test: -test[0])
    print(f"{sum(seconds for seconds, _ in tests):9.1f} s in {len(tests)} tests, side by side; the slowest:")
    for seconds, name in tests[:arguments.count]:
        print(f"{seconds:9.1f} s  {name}")


if __name__ == "__main__":
    main()
