"""How good is a generator? Each measure says what it misses.

`modes` and `parzen` are for points and small images. Images are compared in `features`: `frechet` compares means and
covariances, `precision_recall` which points lie near which; `neighbours` asks whether they are copies. On sets with one
fault each, made from real images, they move so against real images:

    fault           Fréchet distance   precision   recall   coverage   near the training images
    collapsed       up                 –           to 0     down       –
    memorised       –                  –           –        –          all
    blurred         up                 down        down     down       –
    noisy           up                 down        down     down       –
    class missing   up                 –           down     down       –
"""
