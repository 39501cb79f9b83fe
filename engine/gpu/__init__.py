"""The NVIDIA card, managed: how it is (NVML), whether driver and torch fit, how hot, how full.

Nothing here imports torch at the top: light processes look at the card too.
Functions that need torch are given it, and `nvml` is pynvml or a stand-in of it.
"""
