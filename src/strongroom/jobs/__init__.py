"""Long work: filling an environment with the demo company (`demo`), rows from and into files (`data`), measuring speed
(`bench`)."""

from strongroom.jobs.demo import fill_demo

__all__ = ["fill_demo"]
