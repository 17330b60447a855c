# SPDX-License-Identifier: MIT
"""The stubs (.pyi) say what there is: the same names, the same parameters."""

import ast
import inspect
import pathlib

import pytest

import ouro

FOLDER = pathlib.Path(ouro.__file__).parent
MODULES = {"__init__": ouro, "gc": ouro.gc, "mem": ouro.mem, "weakref": ouro.weakref}


def stub_of(name):
    return ast.parse((FOLDER / f"{name}.pyi").read_text())


def names_in(body):
    """Name -> the nodes that define it."""
    found = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.AnnAssign):
            found.setdefault(node.target.id, []).append(node)
        elif isinstance(node, ast.Assign):
            found.setdefault(node.targets[0].id, []).append(node)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.asname == alias.name or (alias.asname and node.level):  # exported
                    found.setdefault(alias.asname, []).append(alias)
    return found


def is_stubs_own(name):
    return name in ("_T", "_T_co", "_S", "_K", "_V", "_Self")


@pytest.mark.parametrize("name", MODULES)
def test_names(name):
    stub, module = names_in(stub_of(name).body), MODULES[name]
    said = {one for one in stub if not is_stubs_own(one)}
    assert set(module.__all__) <= said, "not in the stub"
    assert all(hasattr(module, one) for one in said), "only in the stub"


@pytest.mark.parametrize("name", MODULES)
def test_classes(name):
    for class_name, nodes in names_in(stub_of(name).body).items():
        cls = getattr(MODULES[name], class_name, None)
        if not isinstance(nodes[0], ast.ClassDef):
            continue
        said = set(names_in(nodes[0].body))
        assert all(hasattr(cls, one) or one == "__getattr__" for one in said), f"{class_name}: only in the stub"
        public = {one for one in vars(cls) if not one.startswith("_")} - {"register"}
        missing = public - said
        assert not {one for one in missing if not any(hasattr(base, one) for base in cls.__mro__[1:-1])}, f"{class_name}: not in the stub: {missing}"


@pytest.mark.parametrize("name", MODULES)
def test_parameters(name):
    compared = 0
    for function_name, nodes in names_in(stub_of(name).body).items():
        function = getattr(MODULES[name], function_name, None)
        if not isinstance(nodes[0], ast.FunctionDef) or not inspect.isfunction(function):
            continue
        compared += 1
        args = nodes[0].args
        said = [a.arg for a in args.posonlyargs + args.args + ([args.vararg] if args.vararg else []) + args.kwonlyargs]
        parameters = inspect.signature(function).parameters
        assert said == list(parameters), function_name
        assert len(args.defaults) == sum(p.default is not p.empty for p in parameters.values()), function_name
    assert compared or name == "__init__"


def test_typed():
    assert (FOLDER / "py.typed").exists()
    assert ouro.List[int].__origin__ is ouro.List and ouro.Dict[str, ouro.List[int]].__args__[1].__args__ == (int,)
