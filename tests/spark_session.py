"""One Spark on this machine for all the conformance tests of a process: a Java machine takes longer to start than most of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from essaim.engines.measures import SparkEngine

# The machine lives a minute: compiling its hottest code once more, collecting garbage in parallel, writing and compiling a program
# for each question on a few rows and planning it again as it runs would cost more than they give.
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
SETTINGS = {
    "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1", "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1", "spark.sql.adaptive.enabled": "false", "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN", "spark.driver.extraJavaOptions": JAVA,
}  # fmt: skip


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkEngine]:
    """An engine on a session of its own; the test is skipped, visibly, without Java or pyspark."""
    if shutil.which("java") is None:
        pytest.skip("Java absent : la conformité sur Spark n'est pas vérifiée.")
    pyspark = pytest.importorskip("pyspark.sql", reason="pyspark absent : conformité sur Spark non vérifiée.")
    session = pyspark.SparkSession.builder.master("local[1]").config(map=SETTINGS).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    engine = SparkEngine(session)
    yield engine
    engine.close()
    session.stop()
