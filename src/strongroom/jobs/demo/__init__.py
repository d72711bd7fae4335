"""The demo company and the benchmark's data set: seeded generators of rows and the loading of the first.

`company` makes a believable firm whose names come in eighteen languages; `bench_company` makes exactly the data set
that speed is measured on.
"""

from strongroom.jobs.demo.bench import Archetype, BenchCompany, bench_company
from strongroom.jobs.demo.company import Batch, DemoCompany, DemoShare, company
from strongroom.jobs.demo.filling import fill_demo
from strongroom.jobs.demo.people import DOMAIN, People, Persona, Row
from strongroom.jobs.demo.roles import DemoRole

__all__ = [
    "DOMAIN",
    "Archetype",
    "Batch",
    "BenchCompany",
    "DemoCompany",
    "DemoRole",
    "DemoShare",
    "People",
    "Persona",
    "Row",
    "bench_company",
    "company",
    "fill_demo",
]
