"""What is asked of PostgreSQL's system catalogs: a statement for each kind of thing, for all tables at once.

The search path is empty meanwhile, so that every name comes qualified and quoted: ready to stand in a statement.
"""

from __future__ import annotations

PREPARE = "SELECT set_config('search_path', '', true), set_config('jit', 'off', true)"

SCHEMAS = """
SELECT nspname::text FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1
"""

RELATIONS = """
WITH RECURSIVE exposed AS (
    SELECT c.oid, c.reltype FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($1::text[]) AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition
        AND c.relname !~ '^rowserve_'
), behind (oid) AS (
    SELECT oid FROM exposed
    UNION
    SELECT d.refobjid FROM behind
    JOIN pg_rewrite r ON r.ev_class = behind.oid AND r.ev_type = '1'
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
), referred AS (
    SELECT confrelid FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 AND conrelid IN (SELECT oid FROM behind)
)
SELECT
    c.oid::int8 AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
    c.reltype::int8 AS type, c.oid IN (SELECT oid FROM exposed) AS is_exposed,
    obj_description(c.oid, 'pg_class') AS comment,
    CASE c.relkind WHEN 'm' THEN 0 WHEN 'v' THEN pg_relation_is_updatable(c.oid, true)
        WHEN 'f' THEN pg_relation_is_updatable(c.oid, true) ELSE 28 END AS updatable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
    AND (c.oid IN (SELECT oid FROM behind) OR c.oid IN (SELECT confrelid FROM referred))
ORDER BY 2, 3
"""

COLUMNS = """
SELECT
    a.attrelid::int8 AS relation, a.attnum::int4 AS number, a.attname::text AS name, a.atttypid::int8 AS type,
    format_type(a.atttypid, a.atttypmod) AS spelling, a.attnotnull AS not_null, a.attidentity::text AS identity,
    a.attgenerated::text AS generated, pg_get_expr(d.adbin, d.adrelid) AS expression,
    c.description AS comment
FROM pg_attribute a
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_description c ON c.classoid = 'pg_class'::regclass AND c.objoid = a.attrelid AND c.objsubid = a.attnum
WHERE a.attrelid = ANY($1::int8[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY 1, 2
"""

CONSTRAINTS = """
SELECT
    conrelid::int8 AS relation, conname::text AS name, contype::text AS kind, conkey::int4[] AS columns,
    confrelid::int8 AS referred, confkey::int4[] AS referred_columns, condeferrable AS is_deferrable,
    condeferred AS is_deferred
FROM pg_constraint
WHERE conrelid = ANY($1::int8[]::oid[]) AND contype IN ('p', 'u', 'f') AND conparentid = 0
ORDER BY 1, 2
"""
"""A partition's have the parent's as theirs, and are left out."""

UNIQUE_INDEXES = """
SELECT i.indrelid::int8 AS relation, c.relname::text AS name,
    (string_to_array(i.indkey::text, ' ')::int4[])[1:i.indnkeyatts] AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY($1::int8[]::oid[]) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
    AND i.indexprs IS NULL AND NOT EXISTS (
        SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
    )
ORDER BY 1, 2
"""

VIEWS = """
SELECT ev_class::int8 AS relation, ev_action::text AS tree FROM pg_rewrite
WHERE ev_class = ANY($1::int8[]::oid[]) AND ev_type = '1'
"""

FUNCTIONS = """
SELECT
    n.nspname::text AS schema, p.proname::text AS name, obj_description(p.oid, 'pg_proc') AS comment,
    p.proargnames::text[] AS names, coalesce(p.proallargtypes, p.proargtypes::oid[])::int8[] AS types,
    p.proargmodes::text[] AS modes, p.pronargs::int4 AS inputs, p.pronargdefaults::int4 AS defaults,
    p.prorettype::int8 AS returns, p.proretset AS is_set, p.prorows = 1 AS has_one_row,
    p.provolatile::text AS volatility, t.typrelid::int8 AS returned_relation
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_type r ON r.oid = p.prorettype
JOIN pg_type t ON t.oid = CASE r.typtype WHEN 'd' THEN r.typbasetype ELSE r.oid END
WHERE n.nspname = ANY($1::text[]) AND p.prokind = 'f'
    AND (t.typtype <> 'p' OR t.typname IN ('void', 'record'))
    AND NOT EXISTS (
        SELECT FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) AS argument (oid)
        JOIN pg_type a ON a.oid = argument.oid WHERE a.typtype = 'p'
    )
ORDER BY 1, 2, pg_get_function_identity_arguments(p.oid)
"""
"""Those that a client could call at all: pseudo-types (trigger, internal, anyelement) have no values that cross."""

TYPES = """
WITH RECURSIVE used (oid) AS (
    SELECT unnest($1::int8[])::oid
    UNION
    SELECT related.oid FROM used JOIN pg_type t ON t.oid = used.oid,
        unnest(ARRAY[t.typelem, t.typbasetype]) AS related (oid)
    WHERE related.oid <> 0
)
SELECT
    t.oid::int8 AS oid, t.typname::text AS name, n.nspname::text AS schema, t.typtype::text AS kind,
    t.typcategory::text AS category, t.typelem::int8 AS element, t.typbasetype::int8 AS base,
    format_type(t.typbasetype, t.typtypmod) AS base_spelling, t.typnotnull AS not_null,
    pg_get_expr(t.typdefaultbin, 0) AS expression, t.typrelid::int8 AS relation,
    format_type(t.oid, -1) AS spelling,
    ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder) AS labels
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.oid IN (SELECT oid FROM used)
"""
