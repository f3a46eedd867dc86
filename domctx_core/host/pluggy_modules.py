"""Pluggy modules: imported together, called one by one, so that a failure costs only one of them.

The only module that knows pluggy, besides the specifications of its hooks.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any

import pluggy

from domctx_core.base.errors import ConflictError, DeclarationError, describe
from domctx_core.host import hookspecs
from domctx_core.host.plugin import Plugin, Traced

__all__ = ["HOOKS", "collect", "load_modules"]

HOOKS = tuple(sorted(name for name, value in vars(hookspecs).items() if name.startswith("domctx_")))
"""The names of all hooks."""


def load_modules(plugins: Iterable[Plugin]) -> list[tuple[Plugin, dict[str, Callable[[], Any]]]]:
    """Import the modules of these plugins and find the hooks that each implements.

    Return for each usable plugin a callable for each of its hooks. Faults that do not keep a module
    from working go into the plugin's warnings.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    loaded: list[tuple[Plugin, Any]] = []
    for plugin in plugins:
        with contextlib.suppress(Exception):  # the plugin's status says what went wrong
            module = plugin.load()
            try:
                manager.register(module, f"{plugin.entry_point.dist}:{plugin.entry_point.name}")
            except Exception as error:
                raise plugin.fail(describe(error)) from error
            implemented = _implemented(manager, module)
            plugin.hooks = sorted(implemented & set(HOOKS))
            plugin.warnings += _faults(manager, module)
            loaded.append((plugin, module))
    return [(plugin, dict(_callers(manager, plugin, module, loaded))) for plugin, module in loaded]


def collect(
    plugin: Plugin,
    callers: Mapping[str, Callable[[], Any]],
    hook: str,
    accept: Callable[[Plugin, Any], None],
) -> None:
    """Call one hook of one module and pass on what it declares, one by one.

    A failure marks the plugin as failed, with the name of the hook; earlier declarations stay.
    """
    if hook not in callers:
        return
    begun = time.perf_counter()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            answers = callers[hook]()
            if not answers:
                plugin.warnings.append(
                    f"{hook} returned None; return an empty list to declare nothing"
                )
            for declarations in answers:
                if not isinstance(declarations, Iterable):
                    raise DeclarationError(
                        f"it returned {type(declarations).__name__}; expected a list of declarations"
                    )
                for declaration in declarations:
                    try:
                        accept(plugin, declaration)
                    except ConflictError as error:  # the other declarations are not affected
                        plugin.mark_conflict(f"{hook}: {error.message}", error.hint)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        plugin.fail(f"{hook} failed with {describe(error)}")
    if plugin.on_trace is not None:
        took = time.perf_counter() - begun
        plugin.on_trace(Traced(plugin.provider, "hook", hook, took))


def _callers(
    manager: pluggy.PluginManager, plugin: Plugin, module: Any, loaded: list[tuple[Plugin, Any]]
) -> Iterator[tuple[str, Callable[[], Any]]]:
    others = [other for _, other in loaded if other is not module]
    for hook in plugin.hooks or ():
        yield hook, manager.subset_hook_caller(hook, others)


def _implemented(manager: pluggy.PluginManager, module: Any) -> set[str]:
    """Return the hooks that a module marks as implemented, known or not."""
    implemented = set()
    for name in dir(module):
        options = manager.parse_hookimpl_opts(module, name)
        if options is not None and not options.get("optionalhook"):
            implemented.add(options.get("specname") or name)
    return implemented


def _faults(manager: pluggy.PluginManager, module: Any) -> Iterator[str]:
    """Yield faults: unknown hooks with a close name, functions that only look like hooks."""
    implemented = _implemented(manager, module)
    for name in sorted(implemented - set(HOOKS)):
        near = difflib.get_close_matches(name, HOOKS, 1, 0.6)
        meant = f"; did you mean {near[0]}?" if near else f"; known hooks: {', '.join(HOOKS)}"
        yield f"there is no hook {name}{meant}"
    for name, _ in inspect.getmembers(module, lambda thing: isinstance(thing, FunctionType)):
        if name in HOOKS and manager.parse_hookimpl_opts(module, name) is None:
            yield f"{name} is not marked with @hookimpl, so it is not called"
