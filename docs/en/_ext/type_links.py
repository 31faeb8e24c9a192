# Copyright (c) mic_mm authors. All rights reserved.
"""Links from ``mic_mm.X``, as in configs, to the class.

Docstrings name classes by ``X`` or by the address ``mic_mm.X`` of a config; the class
lives in some module.  A name of mic_mm that is not in the API is a warning.
"""
from __future__ import annotations

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref,
            contnode: nodes.Element) -> nodes.Node | None:
    """Resolve a reference to a Python object by the end of its name."""
    if node.get('refdomain') != 'py' or node.get('reftype') not in ('class', 'func', 'meth', 'exc'):
        return None
    target = node['reftarget']
    short = target.rpartition('mic_mm.')[2] if target.startswith('mic_mm.') else target
    short = short.rpartition('.')[2] if node['reftype'] != 'meth' else short
    domain = env.get_domain('py')
    # An object has its name in its package and, as an alias, that in its module.
    found = sorted(name for name, entry in domain.objects.items()
                   if name.endswith(f'.{short}') and not entry.aliased)
    if len(found) != 1:
        if target == f'mic_mm.{short}':
            LOGGER.warning('%s names %d objects of the API: %s', target, len(found), found,
                           location=node)
        return None
    node['reftarget'] = found[0]
    return domain.resolve_xref(env, node['refdoc'], app.builder, node['reftype'], found[0],
                               node, contnode)


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect('missing-reference', resolve)
    return {'parallel_read_safe': True}
