"""What a session of Spark 3.5 does not have unless it is one of Spark Connect, given to it by its context."""

from __future__ import annotations

from pyspark.sql import SparkSession

SparkSession.addTag = lambda self, tag: self.sparkContext.addJobTag(tag)
SparkSession.removeTag = lambda self, tag: self.sparkContext.removeJobTag(tag)
SparkSession.interruptAll = lambda self: self.sparkContext.cancelAllJobs()
