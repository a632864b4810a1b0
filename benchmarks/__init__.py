"""rowserve and the programs it is compared with, measured side by side on the same rows.

``scripts/bench`` runs everything: each scenario is a module (`rates`, `surge`, `isolation`, `stream`, `startup`,
`durability`) whose ``run`` answers with tables, each peer is a small program in `peers`, the load comes from wrk.
"""
