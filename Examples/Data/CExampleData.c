#include "CExampleData.h"

static const unsigned char card[] = {
#embed "card.csv"
};

const unsigned char *example_data_card(size_t *count) {
  *count = sizeof card;
  return card;
}
