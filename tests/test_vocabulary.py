"""One word has one meaning: names and prose use the glossary of CONTRIBUTING.md, and retired words stay away."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("arrayconv", "benchmarks", "conformance", "docs", "examples", "tests", "tools")
EXCLUDED = {Path(__file__), ROOT / "CHANGELOG.md"}  # both name the words
SUFFIXES = {".py", ".md", ".c", ".h"}

# A participle says what happened to a thing, not what it is.
PARTICIPLES = {
    "found", "made", "laid", "held", "met", "told", "chosen", "given", "asked", "kept", "taken", "seen", "wanted",
    "lent", "drawn", "spoilt", "woven", "turned", "gone", "said", "done",
}  # fmt: skip

# Words of the glossary's right column that no text uses, as patterns of their forms.
RETIRED_TERMS = {
    "laid out": r"laid out",
    "framed": r"framed",
    "surrounded": r"surrounded",
    "among zeros": r"among zeros",
    "serves": r"serve[sd]?|serving",
    "lender": r"lenders?|lends?|lending",
    "lent": r"lent",
    "hosted": r"hosted",
    "at hand": r"at hand",
    "spoil": r"spoil(s|t|ed|ing)?",
    "smear": r"smear(s|ed|ing)?",
    "bad numbers": r"bad numbers",
    "paces": r"paces?",
    "answer": r"answer(s|ed|ing)?",
    "watched": r"watched",
    "watches": r"watches",
    "forgotten": r"forgotten|forgets?",
}

# Words of that column that a sentence may use, with the reason.
COMMON_TERMS = {
    "translated": "what some doors do to their arguments",
    "warm": "caches and machines are",
    "known": "sizes are, before a call",
    "way": "a plain word: the other way round",
    "route": "a plain word",
    "beyond": "an adverb of places",
    "rest": "what remains",
    "class": "Python's",
    "turn": "a verb, and one round of a measurement",
    "borrowed": "of memory that another object owns",
    "passing": "what tests do",
    "band": "the method `banded`",
    "worth": "a plain word",
    "together": "an adverb",
    "share": "a fraction; arrays share memory",
    "rates": "bytes per second",
    "room": "a plain word",
    "home": "a user's folder",
}

# Habits of prose that the field does not have: pattern -> what to write.
PROSE = {
    r"whoever": "the caller, the code or the reader that is meant",
    r"nobody|somebody": "no code, no caller, the caller",
    r"meets?|(is|are) met": "multiplies, overlaps, reads",
    r"lies": "is",
    r"stands(?! for)": "is stored, is written, is",  # a number or a name stands for something in plain English
    r"(is|are) told": "receives, gets",
    r"goes? round": "wraps around",
    r"the like": "similar",
}

# Identifiers of earlier versions, and today's.
RETIRED_NAMES = {
    "_BORROWED": "_NEVER_IMPORTED", "_COLUMNS_MOST": "_MAX_COLUMNS", "_COMFORT": "_SAFE_EXPONENT",
    "_either": "_cond_guarded", "_engines": "_autodiff", "_HOSTED": "_NUMPY_VIEWS",
    "_is_decided_later": "_decides_at_run_time", "_is_watched": "_needs_autodiff", "_LENDING_NS": "_HANDOVER_NS",
    "_MEETING": "_CONFLICT", "_MOST_AXES": "_MAX_AXES", "_MOST_FORMS": "_MAX_SIGNATURES", "_MOST_KEPT": "_MAX_CACHED",
    "_MOST_LAYOUTS": "_MAX_LAYOUTS", "_MOST_PHASES": "_MAX_PHASES", "_MOST_PIECES": "_MAX_PIECES",
    "_MOST_POINTS": "_MAX_POINTS", "_MOST_RADIUS": "_MAX_RADIUS", "_MOST_RUNS": "_MAX_RUNS", "_MOST_TAPS": "_MAX_TAPS",
    "_MOST_TOGETHER": "_MAX_PARALLEL_STEPS", "_MOST_TRACED": "_MAX_TRACED", "_nan_as_infinity": "_nan_to_infinity",
    "_SLABS_MOST": "_MAX_SLAB_SIZE", "_spoilt_filters": "_contaminated_filters", "_touched": "_contaminated_outputs",
    "_warm": "_calls.cache", "Account": "ByteAccount", "as_one": "as_program", "at_home": "method_traits",
    "canonical_answer": "canonical_result", "covers_itself": "has_internal_overlap", "delivered": "write_output",
    "forget_all": "evict_all", "forget_oldest": "evict_oldest", "form_of": "layout_signature",
    "framed_parts": "zero_padded_parts", "FURTHER": "EXTRA_METHODS", "give_up": "disable", "goes_round": "wraps_around",
    "is_circle": "is_circular", "is_corner": "retains_larger_base", "is_plain": "is_safe",
    "is_scattered": "needs_gather", "is_watched": "needs_autodiff", "Keeper": "Evictable", "known_by": "cache_key",
    "Laid": "BoundProblem", "mac_line": "cache_line_mac", "MADE_OF": "REQUIRES", "met_phases": "live_phases",
    "MOST_BYTES": "MAX_BYTES", "MOST_ENTRIES": "MAX_ENTRIES", "MOST_NUMBERS": "MAX_KERNEL_NUMBERS",
    "MOST_TERMS": "MAX_TERMS", "NOTHING_GONE": "NOTHING_REMOVED", "onion": "interior_and_borders", "Pace": "MethodCost",
    "PACES": "METHOD_COSTS", "RATES": "PRIMITIVE_COSTS", "Rates": "PrimitiveCosts", "share_phases": "parallel_phases",
    "takes_writes": "is_writable_in_place", "unrecorded": "without_recording",
    "wanted_dtype_name": "requested_dtype_name", "watcher": "detector",
}  # fmt: skip


def files(*suffixes: str) -> list[Path]:
    """Return the checkout's files with one of the suffixes, without those that quote the words."""
    paths = [*ROOT.glob("*"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))]
    return sorted(path for path in paths if path.suffix in suffixes and path not in EXCLUDED)


def glossary() -> dict[str, str]:
    """Return {a word of the right column: the term in place of it}."""
    _, _, section = (ROOT / "CONTRIBUTING.md").read_text().partition("\n## Words\n")
    table = [line.strip("|").split("|") for line in section.split("\n## ")[0].splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in row] for row in table[2:]]  # below the head and its line
    return {word: term for term, _, words in rows for word in filter(None, words.split(", "))}


def assigned(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of every variable, parameter, field, function and class that a file defines."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of a file's lines, without the glossary itself."""
    inside = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if path.name == "CONTRIBUTING.md" and line.startswith("## "):
            inside = line == "## Words"
        if not inside:
            yield number, line


def offenders(patterns: dict[str, str], boundary: str = r"\w", flags: int = 0) -> list[str]:
    """Return 'file:line word: instead' for every match of a pattern between characters that are no `boundary`."""
    joined = "|".join(f"(?P<p{number}>{pattern})" for number, pattern in enumerate(patterns))
    search = re.compile(f"(?<!{boundary})(?:{joined})(?!{boundary})", flags)
    instead = list(patterns.values())
    return [
        f"{path.relative_to(ROOT)}:{number} {match[0]}: {instead[int(kind[1:])]}"
        for path in files(*SUFFIXES)
        for number, line in lines(path)
        for match in search.finditer(line)
        for kind, text in match.groupdict().items()
        if text is not None
    ]


def report(places: list[str]) -> str:
    return f"{len(places)} places\n" + "\n".join(places)


def test_no_name_is_a_participle():
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {name}: write what it is"
        for path in files(".py")
        for line, name in sorted(set(assigned(ast.parse(path.read_text()))))
        if name.strip("_") in PARTICIPLES
    ]
    assert not wrong, report(wrong)


def test_no_retired_identifier_is_back():
    wrong = offenders(RETIRED_NAMES)
    assert not wrong, report(wrong)


def test_no_retired_term_is_back():
    """Parts of names count: `_spoilt_rows` has a word of the right column."""
    terms = glossary()
    wrong = offenders({pattern: terms[word] for word, pattern in RETIRED_TERMS.items()}, "[A-Za-z0-9]", re.IGNORECASE)
    assert not wrong, report(wrong)


def test_prose_uses_the_verbs_of_the_field():
    wrong = offenders(PROSE, flags=re.IGNORECASE)
    assert not wrong, report(wrong)


def test_every_word_of_the_glossary_is_looked_for_or_is_common():
    words = set(glossary())
    assert len(words) > 30, "CONTRIBUTING.md has a table of words"
    assert words - PARTICIPLES - RETIRED_TERMS.keys() - COMMON_TERMS.keys() == set()
    assert (RETIRED_TERMS.keys() | COMMON_TERMS.keys()) - words == set(), "in no row of the glossary"
    assert RETIRED_TERMS.keys() & COMMON_TERMS.keys() == set()


def test_what_the_search_itself_finds():
    """The tests above pass on a clean checkout, so this one shows that they can fail."""
    tree = ast.parse("def f(given, *, _told=1):\n    for taken in given: x.held = taken\n    import a as _met")
    assert {name.strip("_") for _, name in assigned(tree)} & PARTICIPLES == {"given", "told", "taken", "held", "met"}
    for word, pattern in RETIRED_TERMS.items():
        assert re.fullmatch(pattern, word), word
    assert re.search(r"(?<![A-Za-z0-9])lent(?![A-Za-z0-9])", "_lent_fft")
