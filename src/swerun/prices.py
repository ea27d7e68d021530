"""What a model's tokens cost: as somebody says, or as the list of genai-prices has it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from swerun.models_file import ModelEntry, Prices, load_models
from swerun.records import Price

LIST = "genai-prices"
FREE = Price(input=0, output=0, source="nobody is asked")


def priced(prices: Prices | None, source: str) -> Price | None:
    """A price that somebody gave, and where."""
    if prices is None:
        return None
    return Price(
        input=prices.input, output=prices.output, cached=prices.cached_input, source=source
    )


def listed(model: str, base_url: str) -> Price | None:
    """The price that the installed genai-prices knows of a model at an endpoint; it asks nobody.

    Where long conversations cost more it is what short ones do. None where the list has no such
    endpoint, or not that model of it: a price of someone else's is no price.
    """
    from genai_prices import Usage, __version__, calc_price

    try:
        found = calc_price(Usage(input_tokens=1), model, provider_api_url=base_url)
    except LookupError:
        return None
    prices = found.model_price
    read, written = _base(prices.input_mtok), _base(prices.output_mtok)
    if read is None or written is None:
        return None
    return Price(
        input=read,
        output=written,
        cached=_base(prices.cache_read_mtok),
        source=f"{LIST} {__version__}: {found.provider.id}/{found.model.id}",
    )


def _base(price: object) -> float | None:
    """Of a price in tiers the first."""
    amount = getattr(price, "base", price)
    return None if amount is None else float(str(amount))


def of_run(source: str, model: str, at: Sequence[str]) -> Price | None:
    """What `--prices SOURCE` says of a run's model: `auto`, or a models file.

    `at` are the base URLs of the run's sessions, each with ` as NAME` behind it, the newest last.
    Raises InputError where the file cannot be read.
    """
    if source != "auto":
        entries = {entry.name: entry for entry in load_models(Path(source))}
        found = entries.get(model, ModelEntry(name=model))
        return priced(found.prices, source)
    for address in reversed(at):
        url, _, name = address.partition(" as ")
        if name and (price := listed(name, url)):
            return price
    return None
