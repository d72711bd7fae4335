"""Long work: filling an environment with the demo company (`demo`), measuring speed (`bench`)."""

from strongroom.jobs.demo import fill_demo

__all__ = ["fill_demo"]
