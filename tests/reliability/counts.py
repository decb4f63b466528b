"""How often the tests of reliability try, by day and by night: the counts of the bars that `make scorecard` judges.

`FLOWFORGE_NIGHTLY=1` makes it night, as `make nightly` does.
"""

from __future__ import annotations

import os

NIGHT = os.environ.get("FLOWFORGE_NIGHTLY") == "1"

# R1, R2, R6: kills at random moments, of each kind of command.
KILLS = 200 if NIGHT else 25
# R3: sequences of edits and runs, on each engine, and of the files of a project. What grows, against one full build:
# examples of each strategy.
SEQUENCES = 2_000 if NIGHT else 80
DUCKDB_SEQUENCES = 500 if NIGHT else 20
POSTGRES_SEQUENCES = 200 if NIGHT else 3
PROJECTS = 500 if NIGHT else 20
GROWTHS = 1_000 if NIGHT else 15
# R4: processes at once, so many times.
AT_ONCE, ROUNDS = (8, 25) if NIGHT else (4, 5)
# R4: runs that ask for a target which another holds.
STEALS = 104 if NIGHT else 4
# R1: how often a disk is full, each time later in a run.
FULL_DISKS = 40 if NIGHT else 5
# R5: each of these with each other, on a graph of so many models.
MODELS = 200 if NIGHT else 80
JOBS = (1, 2, 8, 32) if NIGHT else (1, 2, 8)
ORDERS = 50 if NIGHT else 5
HASH_SEEDS = tuple("0123456789") if NIGHT else ("0", "1")
# Of their mixtures every so manieth is tried, and tried with broken models: by steps that meet each value of each.
EVERY = {"duckdb": 1, "postgres": 9 if NIGHT else 7}
EVERY_BROKEN = {"duckdb": 11 if NIGHT else 5, "postgres": 61 if NIGHT else 11}
# R7: mutated inputs, and of those that open an engine so many on PostgreSQL.
INPUTS = int(os.environ.get("FUZZ_COUNT", "10000" if NIGHT else "1000"))
POSTGRES_INPUTS = int(os.environ.get("FUZZ_COUNT", "2000" if NIGHT else "80"))
# S1: secrets of the corpus, the first ones; at night each in every way, by day in one.
SECRETS = 60 if NIGHT else 20
# S3: names of the corpus at each place of a project, None for all.
NAMES = None if NIGHT else 40
