"""How near the wire is to that of PostgREST: what its clients' own suites say."""
