"""Names to write under: two neutral words, "Quiet Otter", drawn at random and never derived from anything.

How the words were chosen: plants, fruit and animals that most readers of English know, spelled as they sound; none that
is a usual given name or surname ("Heron", "Robin"), and none that is used of a person's gender, origin, belief, body,
age, rank or ability, or as a slight. Adjectives tell of weather, light, place, motion and surfaces, never of people. No
two nouns begin with the same four letters, so that they are told apart at a glance and when read aloud.
"""

import secrets
from collections.abc import Container
from itertools import count

TRIES = 24
"""Names of one length that are tried before a word is added; so many misses mean that the course is crowded."""

# Paragraphs of words are easier to read, and to object to, than lists of literals.
ADJECTIVES = tuple(
    """
    Airy Alpine Ample Balmy Breezy Brisk Buoyant Calm Cloudy Coastal Cosmic Cosy Crisp Dappled Dewy Distant Dotted
    Drifting Dusty Early Echoing Evening Faraway Feathery Floating Flowing Foggy Folded Frosty Gliding Glowing Grassy
    Hidden Hilly Humming Icy Inland Leafy Level Looping Lucid Lunar Lush Marbled Mellow Midday Minty Moonlit Morning
    Mossy Nearby Open Orbital Outdoor Painted Patterned Pebbly Placid Polar Quiet Rainy Rambling Restful Rippling
    Roaming Rolling Roving Rustling Salty Seaside Serene Shaded Sheltered Shining Silent Silken Sloping Smooth Snowy
    Soaring Soft Solar Sparkling Speckled Spinning Spiral Spotted Sprouting Starry Steady Stony Striped Sunlit Swaying
    Sweeping Swirling Tangy Tidal Tidy Tranquil Twilight Twinkling Upland Velvet Verdant Vivid Wandering Warm Whirling
    Wide Windy Wintry Wooded Woven Zesty Zigzag
    """.split()  # noqa: SIM905 -- see above
)
LIVING = tuple(
    """
    Acorn Agave Albatross Almond Alpaca Antelope Apricot Armadillo Artichoke Avocado Badger Bamboo Baobab Bilberry Bison
    Blueberry Bobcat Broccoli Buffalo Bumblebee Butterfly Cactus Capybara Caribou Cashew Caterpillar Cedar Chamomile
    Cheetah Chickpea Chinchilla Cicada Cockatoo Condor Coriander Cormorant Cranberry Cricket Crocus Cucumber Cuttlefish
    Cypress Dandelion Dolphin Dormouse Dragonfly Eider Elderberry Eucalyptus Fennel Firefly Flamingo Foxglove Gazelle
    Gecko Ginkgo Goldfinch Gooseberry Grapefruit Hazelnut Hedgehog Hibiscus Honeybee Hoopoe Hornbeam Hummingbird Ibex
    Iguana Impala Jackdaw Jaguar Jellyfish Kangaroo Kestrel Koala Kumquat Lapwing Lemon Lemur Lentil Leopard Lettuce
    Lichen Lizard Llama Lobster Lynx Macaw Magpie Manatee Mangrove Maple Marmot Meadowlark Meerkat Melon Mimosa Mongoose
    Moorhen Mulberry Mushroom Mussel Narwhal Nectarine Nettle Nutmeg Nuthatch Ocelot Octopus Okapi Orca Orchid Oregano
    Oriole Osprey Otter Oyster Panda Pangolin Papaya Parakeet Pelican Penguin Persimmon Pineapple Pistachio Platypus
    Plover Pomegranate Porcupine Puffin Pumpkin Quince Quokka Radish Raspberry Redwood Reindeer Rhubarb Roadrunner
    Salamander Sandpiper Seahorse Sesame Skylark Snowdrop Spinach Spruce Squirrel Starfish Stingray Strawberry Sunflower
    Sycamore Tamarind Tangerine Tapir Thistle Tomato Toucan Tulip Turnip Turtle Wallaby Walnut Watercress Wombat
    Woodpecker Zebra Zucchini
    """.split()  # noqa: SIM905 -- see above
)


def fresh(taken: Container[str], told: str = "") -> str:
    """A random name that is not in `taken`: two words, and one more adjective each time the course is crowded.

    No word of it occurs in `told` (the names and addresses of the course's people, in small letters): a pseudonym that
    happens to be the name of somebody's blog would point at them.
    """
    adjectives_left = [word for word in ADJECTIVES if word.casefold() not in told] or ADJECTIVES
    living_left = [word for word in LIVING if word.casefold() not in told] or LIVING
    for adjectives in count(1):
        for _ in range(TRIES):
            words = [secrets.choice(adjectives_left) for _ in range(adjectives)]
            name = " ".join((*words, secrets.choice(living_left)))
            if len(set(words)) == adjectives and name not in taken:
                return name
    raise AssertionError("count() does not end")
