"""Features -> what clicks need, once a set: the joint cut, codes, colours, and their record.

Knows arrays, and the files that keep them. Knows nothing of clicks, sessions or where it is
computed.

    analysis.py       the record of it all
    compute.py        frames to an analysis, in two parts
    terms.py          what describes more images in the same way, as named arrays
    cut.py            features of all images to joint eigenvectors
    codes.py          features and eigenvectors to 32 numbers a token
    colors.py         eigenvectors to the colour view
    keys.py           what an analysis was made of, in one word
    entry.py          one stored analysis: a folder, believed where every bit is right
    store.py          all of them, by their keys, within a number of bytes
"""
