"""Builds the models of a project by turns: by FlowForge, and by their bare statements; prints the seconds of each."""

from __future__ import annotations

import sys
import time

from pyspark.sql import SparkSession

from flowforge import Project


def main(root: str, rounds: str, *names: str) -> None:
    project = Project.load(root)
    compiled = project.compile()
    statements = [compiled[name].read_text(encoding="utf-8") for name in names]
    for turn in range(int(rounds) + 1):
        ours, bare = flowforge(project), script(statements)
        if turn:
            print(ours, bare)


def flowforge(project: Project) -> float:
    empty()
    started = time.perf_counter()
    assert project.run().ok
    return time.perf_counter() - started


def script(statements: list[str]) -> float:
    empty()
    spark = SparkSession.active()
    started = time.perf_counter()
    spark.sql("use bench")
    for statement in statements:
        spark.sql(statement)
    return time.perf_counter() - started


def empty() -> None:
    spark = SparkSession.getActiveSession()
    if spark is not None:
        spark.sql("drop database if exists bench cascade")
        spark.sql("create database bench")


if __name__ == "__main__":
    main(*sys.argv[1:])
