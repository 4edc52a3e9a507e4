"""Names to write under: two neutral words, "Quiet Heron", drawn at random and never derived from anything.

The words say nothing of gender, origin, rank, age or ability, and none is a usual given name, so that a pseudonym is
never mistaken for a person's name.
"""

import secrets
from collections.abc import Container
from itertools import count

TRIES = 24
"""Names of one length that are tried before a word is added; so many misses mean that the course is crowded."""

# Paragraphs of words are easier to read, and to object to, than lists of literals.
ADJECTIVES = tuple(
    """
    Airy Ample Balmy Blithe Breezy Bright Brisk Buoyant Calm Candid Careful Cheery Clear Cloudy Coastal Content
    Copper Cosy Crisp Curious Dappled Dawning Daring Deft Dewy Distant Drifting Eager Earnest Easy Evening Even
    Feathery Festive Fleet Floating Flowing Fond Frosty Gentle Gladsome Gleaming Gliding Glowing Grassy Hazy Hidden
    Hopeful Humming Indigo Inland Jaunty Jolly Keen Kindly Leafy Leaping Light Lively Lucid Lunar Lush Mellow Mild
    Mindful Minty Morning Mossy Musing Neat Nimble Open Patient Peaceful Pebbly Placid Playful Prompt Quick Quiet
    Rainy Ready Restful Rippling Roaming Rolling Roving Rustling Seaside Secret Serene Shady Shining Silent Silken
    Silver Sincere Smooth Snowy Soaring Soft Solar Sparkling Speckled Spiral Spring Sprightly Starry Steady Still
    Striped Sunlit Sunny Supple Swift Tangy Tidal Tidy Tranquil Trusty Twilight Upbeat Velvet Verdant Vivid Wakeful
    Wandering Warm Watchful Wavy Whirling Windy Winter Wistful Wooded Zestful
    """.split()  # noqa: SIM905 -- see above
)
LIVING = tuple(
    """
    Agave Albatross Alder Alpaca Anemone Antelope Apricot Armadillo Avocet Badger Bamboo Banyan Baobab Barberry
    Barley Beaver Bee Beech Begonia Bilberry Birch Bison Bittern Blackbird Bluebell Bluethroat Bobolink Bracken
    Buckthorn Bulrush Bunting Bustard Buttercup Buzzard Cactus Camel Campion Caracal Cardinalfish Caribou Cedar
    Chaffinch Chamois Cheetah Chestnut Chickadee Chicory Chiffchaff Chipmunk Chough Cicada Cockatoo Columbine Condor
    Coot Cormorant Cornflower Coriander Cowslip Crane Crocus Crossbill Curlew Cyclamen Cypress Damselfly Dandelion
    Dipper Dogwood Dolphin Dormouse Dotterel Dragonfly Dunlin Dunnock Echidna Edelweiss Egret Eider Elk Elm
    Eucalyptus Fennel Fieldfare Firefly Flamingo Flax Foxglove Freesia Frigatebird Fulmar Gannet Gazelle Gecko
    Gentian Gibbon Ginkgo Godwit Goldcrest Goldfinch Gorse Grebe Greenfinch Guillemot Gull Harebell Hawthorn
    Hedgehog Hellebore Heron Hibiscus Hickory Honeybee Hoopoe Hornbeam Hyacinth Hydrangea Ibex Ibis Impala Jacaranda
    Jackdaw Jerboa Kestrel Kingfisher Kittiwake Koala Ladybird Lapwing Larch Larkspur Lemur Lichen Limpet Lobelia
    Lotus Lupin Lynx Macaw Magpie Mallard Manatee Mangrove Maple Marmot Marten Meadowsweet Meerkat Merganser Mimosa
    Mistletoe Mongoose Moorhen Mulberry Mussel Narwhal Nasturtium Nettle Newt Nightingale Nuthatch Oak Ocelot
    Octopus Okapi Oleander Orca Orchid Oriole Osprey Otter Ouzel Owl Oyster Oystercatcher Panda Pangolin Papaya
    Parakeet Pelican Penguin Peregrine Periwinkle Petrel Phlox Pika Pine Pintail Pipit Plover Plumtree Pochard
    Polecat Poplar Porpoise Puffin Puma Quail Quince Quokka Raccoon Razorbill Redpoll Redshank Redstart Redwing
    Redwood Reed Reindeer Rhubarb Roadrunner Rosefinch Salamander Samphire Sandpiper Saxifrage Scabious Seahorse
    Seal Sedge Sequoia Shearwater Shelduck Shrike Siskin Skylark Snipe Snowdrop Sparrow Spoonbill Spruce Squirrel
    Starfish Starling Stoat Stonechat Stork Sunflower Swallow Swan Sycamore Tamarind Tamarisk Tanager Tapir Teal
    Tern Thistle Thrush Thyme Toucan Treecreeper Tulip Turnstone Turtle Verbena Vetch Vicuna Vole Wagtail Walnut
    Warbler Waxwing Wheatear Whimbrel Whinchat Wigeon Wolverine Wombat Woodcock Woodlark Woodpecker Wryneck Yarrow
    Yellowhammer Yew Zebra
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
