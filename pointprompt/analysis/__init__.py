"""Features -> what clicks need, once a set: the joint cut, codes, colours, and their record.

Knows arrays. Knows nothing of clicks, sessions or where it is computed.

    analysis.py       the record of it all
    compute.py        frames to an analysis, in two parts
    terms.py          what describes more images in the same way, as named arrays
    cut.py            features of all images to joint eigenvectors
    codes.py          features and eigenvectors to 32 numbers a token
    colors.py         eigenvectors to the colour view
"""
