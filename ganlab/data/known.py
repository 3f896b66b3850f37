"""Checksums of the published sets: what a file is, whatever it is called and wherever it lies."""

from itertools import chain

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
MNIST = {
    IMAGES: ("6bbc9ace898e44ae57da46a324031adb", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
    LABELS: ("a25bea736e30d166cdddb491f175f624", "d53e105ee54ea40749a09fcbcd1e9432"),
    TEST_IMAGES: ("2646ac647ad5339dbf082846283269ea", "9fb629c4189551a2d022fa330f9573f3"),
    TEST_LABELS: ("27ae3e4e09519cfbb04c329615203637", "ec29112dd5afa0611ce80d1b7f02629c"),
}
"""MD5 of each file, raw and packed by gzip."""
FASHION_MNIST = {
    IMAGES: (None, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    LABELS: (None, "25c81989df183df01b3e8a0aad5dffbe"),
    TEST_IMAGES: (None, "bef4ecab320f06d8554ea6380940ec79"),
    TEST_LABELS: (None, "bb300cfdad3c16e7a12a480ee83cd310"),
}
"""The same; of the raw files none is published."""
KMNIST = {
    IMAGES: (None, "bdb82020997e1d708af4cf47b453dcf7"),
    LABELS: (None, "e144d726b3acfaa3e44228e80efcd344"),
    TEST_IMAGES: (None, "5c965bf0a639b31b8f53240b1b52f4d7"),
    TEST_LABELS: (None, "7320c461ea6c1c855c0b718fb2a4b134"),
}
"""Not a set of the course's: known so that it is not taken for one."""
CIFAR10_TRAIN = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
}
CIFAR10_TEST = {"test_batch": "40351d587109b95175f43aff81a1287e"}
CIFAR100 = {"train": "16019d7e3df5f24257cddd939b257f8d", "test": "f0ef6b0ae62326f3e7ffdfab6717acfc"}
CELEBA_PARTITION = "d32c9cbf5e040fd4025c592c306e6668"


def whose(md5: str) -> str | None:
    """Which published file has this MD5, as "MNIST's train-images-idx3-ubyte"; None for an unknown one."""
    return _NAMES.get(md5)


def _names() -> dict[str, str]:
    idx = {"MNIST": MNIST, "Fashion-MNIST": FASHION_MNIST, "Kuzushiji-MNIST": KMNIST}
    plain = {"CIFAR-10": CIFAR10_TRAIN | CIFAR10_TEST, "CIFAR-100": CIFAR100}
    triples = chain(
        ((name, file, md5) for name, files in idx.items() for file, sums in files.items() for md5 in sums),
        ((name, file, md5) for name, files in plain.items() for file, md5 in files.items()),
        [("CelebA", "list_eval_partition.txt", CELEBA_PARTITION)],
    )
    return {md5: f"{name}'s {file}" for name, file, md5 in triples if md5 is not None}


_NAMES = _names()
