"""The problem that the options name."""

import images_torch
import table_torch


def problem(torch, options):
    return (table_torch if options.net == "table" else images_torch).Problem(torch, options)
