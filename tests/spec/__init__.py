"""The clinical rules, each a table of cases that is test and manual at once; files carry the rules' numbers."""
