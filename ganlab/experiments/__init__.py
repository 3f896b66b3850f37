"""Experiments: what a study is (`study`), how one is run (`running`), recorded and tabled, and each study in a file.

A new study is one new file here that holds a `study.Study`. It is found by being here; no other file names it.
"""
