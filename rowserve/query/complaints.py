"""What PostgREST says of a text that cannot be read: the position, and its ``details``.

https://docs.postgrest.org/en/v14/references/errors.html

The grammar of the dialect once more, but as PostgREST puts it together, because that is what its errors follow from.
What is read and what is not, the other modules of this room decide alone.
"""

from __future__ import annotations

from .parsec import (
    Outcome,
    Parser,
    Source,
    ahead,
    any_number,
    attempt,
    called,
    char,
    complaint,
    either,
    end_of_input,
    many,
    not_ahead,
    one,
    optional,
    separated,
    sequence,
    some,
    word,
)

PATIENCE = 1_000
"""How often a text is looked at before it is given up: that of most mistakes, and no more than a millisecond or two."""
_DEEPEST = 30


def explain(what: str, text: str) -> tuple[int, str] | None:
    """The position of the mistake in a text and the details of it; None where PostgREST would see none.

    None as well for texts that are longer, or nested more deeply, than a mistake is worth the time.
    """
    parser = _GRAMMARS.get(what)
    if parser is None or text.count("(") > _DEEPEST:
        return None
    return complaint(parser, text, patience=PATIENCE)


def _lexeme(parser: Parser) -> Parser:
    return sequence(_BLANKS, parser, _BLANKS)


def _dashed(parser: Parser) -> Parser:
    return separated(parser, attempt(sequence(char("-"), not_ahead(char(">")))))


def _words(*words: str) -> Parser:
    return either(*(attempt(word(text)) for text in words))


def _any_case(text: str) -> Parser:
    return attempt(sequence(*(either(char(lower), char(lower.upper())) for lower in text)))


def _operation(value: Parser) -> Parser:
    search = sequence(
        _words("fts", "plfts", "phfts", "wfts"),
        optional(attempt(sequence(char("("), _IDENTIFIER, char(")")))),
        _DOT,
        value,
    )
    plain = sequence(
        called("unknown single value operator", _words("neq", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj")),
        _DOT,
        value,
    )
    quantified = sequence(
        called(
            "unknown single value operator",
            _words("eq", "gte", "gt", "lte", "lt", "like", "ilike", "match", "imatch"),
        ),
        optional(attempt(sequence(char("("), either(attempt(word("any")), word("all")), char(")")))),
        _DOT,
        value,
    )
    operation = either(
        sequence(attempt(sequence(word("in"), _DOT)), _LIST),
        sequence(attempt(sequence(word("is"), _DOT)), _TRUTH),
        sequence(attempt(sequence(word("isdistinct"), _DOT)), value),
        attempt(search),
        attempt(plain),
        attempt(quantified),
    )
    return sequence(
        optional(attempt(sequence(word("not"), _DOT))),
        called("operator (eq, gt, ...)", operation),
    )


def _no_count(source: Source, pos: int) -> Outcome:
    """A name that may be embedded."""
    outcome = _NAME(source, pos)
    ok, _, end, at, said = outcome
    if ok and source.text[pos:end].strip(' "') == "count":
        # PostgREST's guard fails without a word, so what was said of the name is all that is said.
        return False, True, pos, at, said
    return outcome


def _forest(source: Source, pos: int) -> Outcome:
    return _FOREST(source, pos)


def _tree(source: Source, pos: int) -> Outcome:
    return _TREE(source, pos)


_BLANKS = any_number(r"[ \t]")
_DOT = called("delimiter (.)", char("."))
_IDENTIFIER = some(r"[\w $]", "letter", "digit")
_QUOTED = sequence(char('"'), many(either(some(r'[^\\"]'), sequence(char("\\"), one(".")))), char('"'))
_NAME = called("field name (* or [a..z0..9_$])", either(_QUOTED, _dashed(_IDENTIFIER)))

_INDEX = sequence(
    optional(char("-")),
    some("[0-9]", "digit"),
    either(*(attempt(ahead(word(text))) for text in ("->", "::", ".", ",")), attempt(end_of_input)),
)
_KEY = called("any non reserved character different from: .,>()", either(_QUOTED, _dashed(some(r"[^(\-:.,>)]"))))
_PATH = many(sequence(_words("->>", "->"), either(attempt(_INDEX), attempt(_KEY))))
_FIELD = _lexeme(sequence(_NAME, optional(_PATH)))
_TREE_PATH = sequence(separated(_NAME, _DOT), optional(_PATH))

_ALIAS = optional(attempt(sequence(_NAME, char(":"), not_ahead(char(":")))))
_EMBED_PARAMETER = optional(
    sequence(char("!"), either(attempt(word("left")), attempt(word("inner")), attempt(_NAME))),
)
_INSIDE = sequence(char("("), _forest, char(")"))
_EMBED_START = sequence(_EMBED_PARAMETER, _EMBED_PARAMETER, attempt(ahead(word("("))))
_ITEM_END = either(attempt(ahead(word(")"))), attempt(ahead(word(","))), attempt(end_of_input))
_CAST = optional(sequence(word("::"), _IDENTIFIER))
_AGGREGATE = either(word("sum"), word("avg"), word("count"), attempt(word("max")), attempt(word("min")))
_COLUMN = _lexeme(
    either(
        attempt(sequence(word("*"), _ITEM_END)),
        attempt(sequence(_ALIAS, word("count()"), _CAST, _ITEM_END)),
        sequence(
            _ALIAS, _FIELD, _CAST, optional(attempt(sequence(char("."), _AGGREGATE, word("()")))), _CAST, _ITEM_END
        ),
    )
)
_ITEM = either(
    sequence(attempt(_lexeme(sequence(word("..."), _NAME, _EMBED_START))), _INSIDE),
    sequence(attempt(_lexeme(sequence(_ALIAS, _no_count, _EMBED_START))), _INSIDE),
    _COLUMN,
)
_FOREST = optional(separated(_ITEM, _lexeme(char(","))))

_LIST_ITEM = either(attempt(sequence(_QUOTED, not_ahead(one("[^,)]")))), any_number("[^,)]"))
_LIST = sequence(_lexeme(char("(")), separated(_LIST_ITEM, char(",")), _lexeme(char(")")))
_TRUTH = called(
    "isVal: (null, not_null, true, false, unknown)",
    either(*(_any_case(text) for text in ("null", "not_null", "true", "false", "unknown"))),
)
_TREE_VALUE = either(
    attempt(sequence(_QUOTED, not_ahead(one("[^,)]")))),
    attempt(sequence(word("{"), any_number("[^{}]"), word("}"))),
    any_number("[^,)]"),
)
_TREE = either(
    attempt(sequence(_FIELD, _DOT, _operation(_TREE_VALUE))),
    sequence(
        called("negation operator (not)", optional(attempt(sequence(word("not"), _DOT)))),
        called("logic operator (and, or)", either(attempt(word("and")), word("or"))),
        _lexeme(char("(")),
        separated(_tree, _lexeme(char(","))),
        _lexeme(char(")")),
    ),
)

_NULLS = either(attempt(sequence(_DOT, word("nullsfirst"))), attempt(sequence(_DOT, word("nullslast"))))
_DIRECTION = either(attempt(sequence(_DOT, word("asc"))), attempt(sequence(_DOT, word("desc"))))
_TERM_END = either(attempt(ahead(char(","))), attempt(end_of_input))
_TERM = sequence(optional(_DIRECTION), optional(_NULLS), _TERM_END)
_ORDER = separated(
    _lexeme(either(attempt(sequence(_NAME, char("("), _FIELD, char(")"), _TERM)), sequence(_FIELD, _TERM))),
    char(","),
)

_NAMES = separated(_NAME, _lexeme(char(",")))

_GRAMMARS: dict[str, Parser] = {
    "filter": _operation(any_number(".")),
    "logic tree": _TREE,
    "logic path": separated(_NAME, _DOT),
    "tree path": _TREE_PATH,
    "select parameter": _FOREST,
    "order": _ORDER,
    "columns parameter": _NAMES,
    "on_conflict parameter": _NAMES,
}
"""By what PostgREST calls them in ``failed to parse …``."""
