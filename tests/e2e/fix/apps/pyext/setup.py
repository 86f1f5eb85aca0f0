"""A package with an extension in C."""

from setuptools import Extension, setup

setup(
    name="greet",
    version="1.0",
    packages=["greet"],
    package_data={"greet": ["page.txt"]},
    ext_modules=[Extension("greet._native", ["greet/native.c"])],
    entry_points={"console_scripts": ["greet=greet:main"]},
)
