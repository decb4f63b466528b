"""Every error a user can meet."""

from __future__ import annotations

from flowforge_domain.errors import (
    ConfigError,
    DependencyNotFoundError,
    EngineError,
    FlowForgeError,
    HookError,
    ModelCycleError,
    ModelError,
    ModuleLoadError,
    PluginError,
    ProfileError,
    RequiredColumnsError,
    SeedError,
    SelectionError,
    SettingError,
    StreamError,
    TemplateError,
    TestFailureError,
    UnsupportedByEngineError,
)

__all__ = [
    "ConfigError",
    "DependencyNotFoundError",
    "EngineError",
    "FlowForgeError",
    "HookError",
    "ModelCycleError",
    "ModelError",
    "ModuleLoadError",
    "PluginError",
    "ProfileError",
    "RequiredColumnsError",
    "SeedError",
    "SelectionError",
    "SettingError",
    "StreamError",
    "TemplateError",
    "TestFailureError",
    "UnsupportedByEngineError",
]
