# Copyright (c) mic_mm authors. All rights reserved.
"""Writes a config that adapts a stock model to data of one's own."""
from .base_config import BaseConfig, read_base
from .domain_facts import DomainFacts, FolderOptions
from .settings import NewConfig
from .text import config_text

__all__ = [
    'BaseConfig', 'DomainFacts', 'FolderOptions', 'NewConfig', 'config_text',
    'read_base'
]
