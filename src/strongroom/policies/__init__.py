"""Policy tests: statements in YAML about who can do what, checked against an environment.

`document` reads files into statements, each with its line · `running` judges them by the decision that the server makes
· `junit` writes the results for machines · `recording` writes today's behaviour as statements.
"""
