#include "CExampleData.h"

static const unsigned char card[] = {
#embed "card.csv"
};

static const unsigned char mpg[] = {
#embed "mpg_scale"
};

static const unsigned char liver[] = {
#embed "liver-disorders_scale"
};

static const unsigned char liver_test[] = {
#embed "liver-disorders_scale.t"
};

const unsigned char *example_data_card(size_t *count) {
  *count = sizeof card;
  return card;
}

const unsigned char *example_data_mpg(size_t *count) {
  *count = sizeof mpg;
  return mpg;
}

const unsigned char *example_data_liver(size_t *count) {
  *count = sizeof liver;
  return liver;
}

const unsigned char *example_data_liver_test(size_t *count) {
  *count = sizeof liver_test;
  return liver_test;
}
