console.log('no native addon yet');
